"""Health of the web container: the site answers on its own port, under one of its own names.

The address that is asked may be given: `/sante/` (the process lives) when it is not.
"""

import http.client
import os
import sys

hote = os.environ["ALLOWED_HOSTS"].split(",")[0].strip().lstrip(".")
connexion = http.client.HTTPConnection(
    "127.0.0.1", int(os.environ.get("BIND", ":8000").rsplit(":", 1)[1]), timeout=5
)
adresse = sys.argv[1] if len(sys.argv) > 1 else "/sante/"
connexion.request("GET", adresse, headers={"Host": hote})
sys.exit(0 if connexion.getresponse().status == 200 else 1)
