"""Runs the public scim2-tester against a server: tester.py URL TOKEN DOMAIN.

The tester makes values up. Some have to lie where this server takes them, and nothing else is steered: addresses lie in
the domain that the organization has proved, the one address that a user has is the primary one, a role is one that the
directory holds, names of agents keep to their pattern, and the owner of an agent is there and active.
"""

import sys
import uuid
from collections import Counter

import httpx2
import scim2_tester.filling as filling
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

url, token, domain = sys.argv[1:]
made_up = filling.get_random_example_value


def fitting(path):
    binding = path.resolve()
    model = binding.target_model.__name__ if binding and binding.target_model else ""
    field = binding.target_field_name if binding else ""
    if model == "Emails" and field == "value":
        return f"{uuid.uuid4()}@{domain}"
    if model == "Emails" and field == "primary":
        return True
    if model == "User" and field == "active":
        return True
    if model == "Roles" and field == "value":
        return "viewer"
    if model == "Owner" and field == "value":
        return owner
    if model == "Agent" and field == "name":
        return f"agent-{uuid.uuid4()}"
    return made_up(path)


filling.get_random_example_value = fitting
http = httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {token}"})
somebody = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": f"owner@{domain}"}
owner = http.post("/Users", json=somebody).raise_for_status().json()["id"]
results = check_server(SyncSCIMClient(http))
for result in results:
    if result.status is not Status.SUCCESS:
        print(f"{result.status.name} {result.resource_type} {result.title}: {result.reason}\n  {result.data}")
counted = Counter(result.status.name for result in results)
print(" ".join(f"{status}={count}" for status, count in sorted(counted.items())))
sys.exit(0 if set(counted) == {"SUCCESS"} else 1)
