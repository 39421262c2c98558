"""Write the golden OpenAPI document: python -m tests.serving.openapi."""

import json

from serving.app import create_app
from serving.settings import Settings
from tests.serving.test_documents import GOLDEN

if __name__ == "__main__":
    document = create_app(Settings(_env_file=None)).openapi()
    GOLDEN.write_text(json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
