"""Sends to a double of ITOC360 with the vendor's own SDK, and prints what the SDK makes of the replies.

Arguments: the address, the token of a source that takes alerts, the token of one that takes Postman's runs, and a token
that no source has.
"""

import json
import sys

import itoc360

base_url, alert_token, run_token, no_token = sys.argv[1:]
LABELS = {
    "collection": "Orders",
    "environment": "Production",
    "monitor": "Monitor m",
    "monitor_id": "m",
    "source": "postman",
    "team": "payments",
}
RUN = {
    "collection_name": "Orders",
    "collection_uid": "127862-711a2044-c4fc-441b-b169-233c07489031",
    "user_name": "Alex Doe",
    "user_id": "127862",
    "monitor_name": "Monitor m",
    "monitor_uid": "m",
    "environment_name": "Production",
    "environment_uid": "127862-51eb6452-10d2-45d3-82ae-fc4c67b59b7c",
    "metrics": {
        "errors": 0,
        "failedTests": 2,
        "passedTests": 12,
        "requestCount": 1,
        "totalLatency": 842,
        "warnings": 0,
    },
}


def alert(status, says, failed):
    return itoc360.Alert(
        fingerprint="m",
        summary=f"Monitor m {says}",
        description=f"{failed} failed tests in 1 requests",
        severity=itoc360.Severity.ERROR,
        status=status,
        labels=LABELS,
        generator_url="https://go.postman.co/monitors/m",
        receiver="postroom",
    )


def error(token):
    try:
        itoc360.Client(token, base_url=base_url).send_raw(RUN)
    except itoc360.APIError as refused:
        return {"status": refused.status_code, "unauthorized": refused.unauthorized, "message": refused.message}


alerts = itoc360.Client(alert_token, base_url=base_url + "/")
replies = [
    alerts.send_alert(alert(itoc360.Status.FIRING, "is failing", 2)),
    alerts.send_alert(alert(itoc360.Status.RESOLVED, "passes again", 0)),
    itoc360.Client(run_token, base_url=base_url).send_raw(RUN),
]
print(
    json.dumps(
        {
            "replies": [
                {
                    "type": reply.type,
                    "fingerprint": reply.fingerprint,
                    "whole": all([reply.id, reply.tenant_id, reply.provider_id, reply.source_id, reply.payload])
                    and reply.created_at is not None,
                }
                for reply in replies
            ],
            "refused": error(no_token),
        }
    )
)
