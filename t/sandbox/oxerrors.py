# SPDX-License-Identifier: Apache-2.0
"""OX error codes: one row per code, and the exception that carries one to the envelope."""
import itertools

CATEGORIES = {1: "USER_INPUT", 2: "CONFIGURATION", 3: "PERMISSION_DENIED", 4: "TRY_AGAIN",
              5: "SERVICE_DOWN", 6: "CONNECTIVITY", 8: "ERROR", 9: "CONFLICT", 11: "CAPACITY",
              12: "TRUNCATED", 13: "WARNING"}

CODES = {
    "SVL-0001": (8, "Unknown AJAX action: %s."),
    "SVL-0002": (8, "Missing the following request parameter: %s"),
    "SVL-0006": (8, "Unknown module: %s."),
    "SVL-0010": (1, "Invalid parameter \"%s\"."),
    "SVL-0016": (3, "No permission for module: %s."),
    "SVL-0019": (4, "Too many concurrent requests."),
    "SVL-0020": (8, "Malformed request: %s"),
    "SVL-0023": (8, "The request body cannot be read: %s"),
    "SVL-0024": (8, "The request body is missing."),
    "SVL-0030": (8, "Parameter \"%s\" is not allowed in the URI."),
    "SES-0002": (8, "The node is full."),
    "SES-0007": (1, "Maximum number of sessions of this user is reached."),
    "SES-0008": (8, "The authentication id is already in use."),
    "SES-0203": (4, "Your session expired. Please login again."),
    "SES-0204": (4, "The context is disabled."),
    "SES-0205": (3, "Your session was invalidated: the address changed."),
    "SES-0206": (4, "Your session expired. Please login again."),
    "LGI-0001": (3, "The account is locked."),
    "LGI-0002": (4, "The account is not ready yet."),
    "LGI-0005": (5, "The login service cannot be reached."),
    "LGI-0006": (1, "The user name or password is incorrect."),
    "LGI-0011": (3, "The password is expired."),
    "LGI-0013": (3, "The user is not activated."),
    "LGI-0019": (5, "Automatic login is not available."),
    "LGI-0021": (1, "The client identifier must not equal the User-Agent."),
    "LGI-0026": (3, "The login was denied."),
    "FLD-0003": (3, "Folder \"%s\" is not visible."),
    "FLD-0008": (8, "Folder \"%s\" could not be found."),
    "FLD-1026": (3, "Folder \"%s\" cannot be deleted."),
    "FLD-1027": (3, "Folder \"%s\" cannot be moved."),
    "FLD-1029": (3, "No folder can be created below \"%s\"."),
    "IMAP-1002": (8, "Mail folder \"%s\" could not be found."),
    "MSG-0013": (3, "No access to mail."),
    "MSG-0032": (1, "Mail \"%s\" could not be found in folder \"%s\"."),
    "MSG-0039": (11, "The mail could not be moved to the trash: the quota is exceeded."),
    "MSG-0049": (8, "Attachment \"%s\" was not found in mail \"%s\"."),
    "MSG-0050": (8, "Folder \"%s\" does not hold messages."),
    "MSG-0056": (1, "The sender address \"%s\" is not allowed."),
    "MSG-0059": (8, "The mail cannot be parsed."),
    "MSG-0060": (1, "The folder name \"%s\" is invalid."),
    "MSG-0063": (1, "A folder named \"%s\" already exists."),
    "MSG-0064": (3, "No folder can be created below \"%s\"."),
    "MSG-0066": (8, "Mail folder \"%s\" could not be found."),
    "MSG-0086": (4, "Please try again later."),
    "MSG-0087": (8, "The operation is not supported by this account."),
    "MSG-0088": (11, "The mail is too big."),
    "MSG-0097": (3, "Default folder \"%s\" must not be deleted."),
    "MSG-0098": (3, "Default folder \"%s\" must not be renamed."),
    "MSG-0099": (3, "Default folder \"%s\" must not be moved."),
    "MSG-0109": (5, "The mail account is down."),
}

# Category of a code without a row, by its prefix: tests may inject any code.
_PREFIX_CATEGORY = {"SES": 4, "LGI": 3, "MFA": 3}

_numbers = itertools.count(1)


class OXError(Exception):
    """An error answer.  `violation` is (kind, detail) when the client is to blame."""

    def __init__(self, code, *args, category=None, violation=None):
        super().__init__(code)
        self.code = code
        row = CODES.get(code)
        self.category = category or (row[0] if row else _PREFIX_CATEGORY.get(code[:3], 8))
        text = row[1] if row else "An error occurred."
        holes = text.count("%s")
        self.text = text % (tuple(str(a) for a in args) + ("",) * holes)[:holes] if holes else text
        self.violation = violation

    def fields(self):
        return {"error": self.text, "error_params": [],
                "error_id": "5a6d%04x-%d" % (next(_numbers) & 0xffff, next(_numbers)),
                "error_desc": self.text, "code": self.code,
                "categories": CATEGORIES.get(self.category, "ERROR"), "category": self.category}
