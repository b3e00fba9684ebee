# Introspects a token with authlib, authenticating with each method that it supports.
# Prints one JSON object per line, as introspect.mjs does.
# python - ISSUER CLIENT_ID, with CLIENT_SECRET and TOKEN in the environment.
import json
import os
import sys

from authlib.integrations.requests_client import OAuth2Session

issuer, client_id = sys.argv[1:]
secret, token = os.environ["CLIENT_SECRET"], os.environ["TOKEN"]

for method in ["client_secret_basic", "client_secret_post"]:
    session = OAuth2Session(client_id, secret, token_endpoint_auth_method=method)
    metadata = session.get(f"{issuer}/.well-known/oauth-authorization-server", withhold_token=True).json()
    answer = session.introspect_token(metadata["introspection_endpoint"], token=token)
    answer.raise_for_status()
    print(json.dumps({"library": "authlib", "method": method, "claims": answer.json()}))
