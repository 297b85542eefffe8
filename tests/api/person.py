"""Somebody with something in every table, all of it unmistakable."""

import json

from shop import fresh, fresh_phone, give_back, order, refund, take

MARK = "Xoq"  # in every text about the person; compared without regard to case. With a letter that no coupon code has.


class Person:
    """Filled in through the API alone. `secrets` is what must be shown to nobody without the right, `traces` what an
    erasure must take away."""

    def __init__(self, admin):
        self.admin = admin
        self.first_external, self.external = fresh(f"{MARK}-first"), fresh(f"{MARK}-last")
        self.name, self.later_name = "亓官Xoqname", "闾丘Xoqlater"
        self.phone, self.later_phone = fresh_phone(), fresh_phone()
        self.email = f"{fresh(MARK)}.Mail@Example.org"
        self.openid = fresh(f"{MARK}-openid")
        self.number = fresh("number")
        assert admin.put("/v1/attributes/private", {"type": "text", "visibility": "personal"}).status in (200, 201)
        self.id = admin.put(f"/v1/customers/ext:{self.first_external}", {
            "name": self.name, "phone": self.phone, "email": self.email, "birthday": "1987-06-05",
            "identities": [{"kind": "wechat_openid", "value": self.openid}], "attributes": {"diary": "Xoqdiary", "private": "Xoqprivate"},
            "preferences": {"likes": "Xoqlikes"}, "city": "Xoqcity", "district": "Xoqdistrict", "owner": "Xoqowner",
            "source": {"channel": "referral", "detail": "Xoqdetail", "campaign": "Xoqcampaign"}}).ok(201)["id"]
        self.at = f"/v1/customers/{self.id}"
        admin.patch(self.at, {"external_id": self.external, "name": self.later_name, "phone": self.later_phone},
                    Audit_Reason="Xoqbecause").ok()
        self.contacts()
        self.referrals()
        self.buying()

    def contacts(self):
        admin, at = self.admin, self.at
        self.group = fresh("group").replace("-", "_")
        admin.put(f"/v1/groups/{self.group}", {"name": "a group"}).ok(201)
        admin.post(f"/v1/groups/{self.group}/members", {"add": [self.id]}).ok()
        admin.put(f"{at}/tags/Xoqtag", {}).ok(201)
        self.address_phone = fresh_phone()
        admin.put(f"{at}/addresses/Xoqhome", {"recipient": "令狐Xoqrecipient", "phone": self.address_phone, "city": "Xoqcity", "street": "Xoqstreet 1",
                                              "postal_code": "Xoq200"}).ok(201)
        admin.patch(f"{at}/addresses/Xoqhome", {"street": "Xoqstreet 2"}).ok()
        note = admin.post(f"{at}/notes", {"content": "Xoqnote", "author": "Xoqauthor"}, Idempotency_Key=fresh("key")).ok(201)
        admin.patch(f"{at}/notes/{note['id']}", {"content": "Xoqnote again"}).ok()
        admin.post(f"{at}/interactions", {"kind": "call", "agent": "Xoqagent", "content": "Xoqcontent", "outcome": "Xoqoutcome",
                                          "external_id": fresh("Xoqcall")}).ok(201)
        admin.post("/v1/behaviour-events", {"events": [{"customer": self.id, "type": "search", "query": "Xoqquery"}]}).ok()
        admin.put(f"{at}/consents/sms", {"state": "granted", "source": "Xoqsource", "evidence": "Xoqevidence"}).ok()
        admin.put(f"{at}/suppressions/email", {"reason": "bounce", "detail": "Xoqbounce"}).ok()

    def referrals(self):
        """He referred somebody, and was referred twice: as himself, and as somebody who turned out to be him."""
        admin = self.admin
        self.twin, self.friend, self.referrer = fresh(f"{MARK}-twin"), fresh("friend"), fresh("referrer")
        for external_id in (self.twin, self.friend, self.referrer):
            admin.post("/v1/customers", {"external_id": external_id}).ok(201)
        self.referred = fresh("referral"), fresh("referral")
        for key, customer, referred in ((fresh(f"{MARK}-referral"), self.external, self.friend),
                                        (self.referred[0], self.referrer, self.external),
                                        (self.referred[1], self.referrer, self.twin)):
            admin.post("/v1/activities", {"key": key, "customer": f"ext:{customer}", "type": "referral", "referred": f"ext:{referred}"}).ok(201)
        admin.post(f"{self.at}/merges", {"absorbed": f"ext:{self.twin}"}, Idempotency_Key=fresh("key")).ok(201)

    def buying(self):
        admin, at = self.admin, self.at
        who = {"external_id": self.external, "name": self.later_name, "phone": self.later_phone}
        take(admin, order(who, 60_000, 30_000, external_id=self.number, coupon="Xoqcoupon"))
        give_back(admin, self.number, refund({"line_no": 1, "amount_minor": 1000}, reason="Xoqrefund"))
        admin.post(f"{at}/points/redemptions", {"points": 5, "reason": "Xoqredeemed"}, Idempotency_Key=fresh("key")).ok(201)
        for reference in ("Xoqheld", "Xoqlet"):
            admin.post(f"{at}/points/holds", {"points": 7, "reason": "Xoqwhy", "reference": reference},
                       Idempotency_Key=fresh("key")).ok(201)
        admin.post(f"{at}/points/holds/ext:Xoqlet/release", {"reason": "Xoqreleased"}, Idempotency_Key=fresh("key")).ok()
        admin.put(f"{at}/tier/pin", {"tier": "gold", "until": "2036-01-01T00:00:00Z", "reason": "Xoqpin"}).ok()

    @property
    def references(self):
        """All that may stand for the person in a path."""
        return [self.id, f"ext:{self.first_external}", f"ext:{self.external}", f"ext:{self.twin}"]

    @property
    def traces(self):
        """What nothing may be left of, in lower case: as it is, escaped as JSON escapes it, and masked."""
        plain = [MARK, self.name, self.later_name, self.phone, self.later_phone, self.address_phone, self.email, "1987-06-05", self.phone[:3] + "****",
                 "亓*", "闾*", "令*", "亓官", "闾丘", "令狐"]
        escaped = [json.dumps(one)[1:-1] for one in plain]
        return {one.lower() for one in plain + escaped} - {"139****"} | {f"139****{self.phone[-4:]}", f"139****{self.later_phone[-4:]}"}

    @property
    def secrets(self):
        """What only those are shown who may see personal data: who it is, and what was said, written and searched for."""
        return [self.name, self.later_name, self.phone, self.later_phone, self.email, self.email.lower(), self.openid, "1987-06-05",
                "令狐Xoqrecipient", self.address_phone, "Xoqstreet", "Xoq200", "Xoqnote", "Xoqcontent", "Xoqoutcome", "Xoqquery", "Xoqevidence", "Xoqprivate", "Xoqrefund"]
