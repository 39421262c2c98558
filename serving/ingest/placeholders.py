"""What platforms and exports write in place of the text of a comment that was deleted."""

import unicodedata

# In brackets only: as a text of its own, such a word may be an opinion.
WORDS = frozenset(
    {
        *("deleted", "removed", "comment deleted", "comment removed", "message deleted"),
        *("deleted by user", "deleted by author", "removed by author", "removed by moderator"),
        *("removed by reddit", "removed by user"),
        *("đã xóa", "đã bị xóa", "bình luận đã bị xóa"),
        *("삭제됨", "삭제된 댓글", "삭제된 메시지"),
        *("削除済み", "削除されました", "已删除", "已刪除"),
        *("eliminado", "borrado", "removido", "apagado", "excluído"),
        *("supprimé", "gelöscht", "entfernt", "eliminato", "verwijderd"),
        *("удалено", "удалён", "dihapus", "silindi", "usunięto", "ลบแล้ว"),
    }
)
# Whole sentences, with or without brackets and full stop.
SENTENCES = frozenset(
    {
        *("this comment has been deleted", "this comment has been removed"),
        *("this comment was deleted", "this comment was removed", "this message was deleted"),
        *("bình luận này đã bị xóa", "bình luận này đã bị gỡ"),
        *("삭제된 댓글입니다", "이 댓글은 삭제되었습니다", "삭제된 메시지입니다"),
        *("このコメントは削除されました", "该评论已删除", "该评论已被删除", "此評論已被刪除"),
        *("este comentario ha sido eliminado", "este comentario fue eliminado"),
        *("este comentário foi removido", "este comentário foi excluído"),
        *("ce commentaire a été supprimé", "dieser kommentar wurde gelöscht"),
        *("комментарий удалён", "комментарий удален", "komentar ini telah dihapus"),
        *("bu yorum silindi", "ความคิดเห็นนี้ถูกลบแล้ว"),
    }
)
_BRACKETS = ("[]", "()", "<>")
_LONGEST = 60  # characters


def is_placeholder(text: str) -> bool:
    """Whether a text as a whole is a platform's notice that the comment was deleted.

    Case and white space around the words do not matter: Reddit writes `[ Removed by Reddit ]`.
    """
    text = text.strip()
    if not text or len(text) > _LONGEST:
        return False
    inner = text[1:-1] if text[0] + text[-1] in _BRACKETS else text
    words = unicodedata.normalize("NFC", inner).strip().rstrip(".。").casefold()
    return words in SENTENCES or (inner is not text and words in WORDS)
