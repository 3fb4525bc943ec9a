#!/bin/sh
# Runs once, when the volume is new: the application's role is no superuser and does not escape row-level security.
set -eu
psql --no-psqlrc --set ON_ERROR_STOP=1 --set mot_de_passe="$POSTGRES_APP_PASSWORD" \
  --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE reservation LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB PASSWORD :'mot_de_passe';
CREATE DATABASE reservation OWNER reservation;
SQL
