# Les gestes du projet. `make` seul les énumère.
SHELL := /bin/bash
PYTHON := .venv/bin/python
PORT ?= 8000
# Two processes by default: the tests also start servers, workers and browsers.
PYTEST_ARGS ?= -n 2 --dist loadgroup

# Bytecode is kept whatever the machine says: without it, each of the processes that the tests and the demonstration
# start would compile a thousand files again, ten seconds instead of two.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := aide
.PHONY: aide setup lock demo demo-reset stop test eprouver-api bench lint audit

aide: ## affiche cette aide
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

setup: ## prépare l’environnement .venv (rien à faire s’il est à jour)
	@outils/installer

lock: setup ## refait uv.lock après un changement de pyproject.toml (UV_LOCK_ARGS pour « uv lock »)
	@outils/verrouiller $(UV_LOCK_ARGS)

demo: setup ## lance le site de démonstration sur http://127.0.0.1:$PORT, avec ses données et ses comptes
	@outils/prerequis pdf
	@$(PYTHON) manage.py demo --port $(PORT)

demo-reset: setup ## efface les données de démonstration et recommence
	@outils/prerequis pdf
	@$(PYTHON) manage.py demo --port $(PORT) --recommencer

stop: setup ## arrête la démonstration et les serveurs embarqués
	@$(PYTHON) manage.py serveurs arreter

test: setup ## lance tous les tests, navigateur compris
	@outils/prerequis pdf navigateur
	@$(PYTHON) -m pytest $(PYTEST_ARGS)

eprouver-api: setup ## éprouve l’API contre son schéma, longuement (EPREUVE_CAS : cas par opération et par mode, 200 par défaut)
	@EPREUVE_CAS=$${EPREUVE_CAS:-200} $(PYTHON) -m pytest tests/api/test_schema.py -k undocumented -q -s

bench: setup ## mesure les performances et les écrit dans docs/performance.md
	@outils/prerequis pdf
	@$(PYTHON) -m benchmarks

audit: setup ## cherche une faille connue dans les dépendances verrouillées (AUDIT_ARGS pour outils/auditer)
	@outils/auditer $(AUDIT_ARGS)

lint: setup ## vérifie le style et la forme du code
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
