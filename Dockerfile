# syntax=docker/dockerfile:1
FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python -m venv /opt/groundswell
# Dependencies first, each with its hash: a change of the code reuses this layer.
COPY requirements.txt ./
RUN /opt/groundswell/bin/pip install --require-hashes --requirement requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY clients ./clients
COPY model ./model
COPY monitoring ./monitoring
COPY serving ./serving
COPY training ./training
RUN /opt/groundswell/bin/pip install --no-deps ./clients/python .

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="groundswell" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 10001 --home-dir /var/lib/groundswell --create-home groundswell
COPY --from=build /opt/groundswell /opt/groundswell
ENV PATH=/opt/groundswell/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    GROUNDSWELL_HOST=0.0.0.0 \
    GROUNDSWELL_PORT=8000 \
    GROUNDSWELL_LOG_FORMAT=json \
    GROUNDSWELL_DATABASE_URL=sqlite:////var/lib/groundswell/groundswell.db
USER 10001
WORKDIR /var/lib/groundswell
VOLUME /var/lib/groundswell
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
CMD ["groundswell", "serve"]
