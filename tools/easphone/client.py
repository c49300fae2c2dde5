# SPDX-License-Identifier: Apache-2.0
"""A scripted phone.

    phone = Phone("https://mail.example.com", "bob@example.com", "secret", version="14.1")
    phone.options()
    phone.foldersync()
    inbox = phone.mailbox.folder_of_type(2)
    phone.sync_all(inbox, mail_options(phone.version, filter=3, truncation=512))
    for item in phone.mailbox.collection(inbox).items.values():
        print(item.sender, item.subject)

Answers change the mailbox only when they obey the protocol; else ProtocolViolation. Failure statuses are StatusError, other
HTTP statuses HttpError. For tests: `cut` on every command loses the answer, repeat() sends the last request again, byte
for byte, at_once() sends several at the same moment, and listeners in on_answer see every decoded answer. A Phone is used
by one thread; two threads use two phones.
"""
import base64
import threading

from . import fetching, folders, query, syncing, wbxml
from .errors import HttpError, ProtocolViolation
from .model import Mailbox
from .node import Node
from .options import Coll
from .tables import version_number
from .transport import Connection, Request, TransportError

WBXML_TYPE = "application/vnd.ms-sync.wbxml"
NO_WBXML = ("GetAttachment",)


class Answer:
    """response: the HTTP answer; document: its root Node, None when empty; parts: of a multipart answer"""

    def __init__(self, response, document=None, parts=None):
        self.response, self.document, self.parts = response, document, parts

    @property
    def status(self):
        return self.response.status


class Prepared:
    """a complete request together with what is to be done with its answer"""

    def __init__(self, command, request, apply):
        self.command, self.request, self.apply = command, request, apply


class Phone:
    def __init__(self, url, user, password, device_id="EASPHONE0001", device_type="easphone", version="14.1",
                 base64_query=False, user_agent="easphone/1", gzip=True, tls_verify=True, ca_file=None,
                 policy_key=None, auth="utf-8", timeout=30.0, mailbox=None):
        self.user, self.password, self.auth = user, password, auth
        self.device_id, self.device_type, self.user_agent = device_id, device_type, user_agent
        self.version = version_number(version)
        self.base64_query, self.gzip, self.policy_key = base64_query, gzip, policy_key
        self.connection = Connection(url, tls_verify, ca_file, timeout)
        self.mailbox = mailbox or Mailbox()
        self.cached = []                           # the collections an empty or partial Sync refers to
        self.last = None                           # Prepared: what repeat() sends
        self.on_answer = []                        # callables (phone, command, request, answer)

    @property
    def version_text(self):
        return "%d.%d" % divmod(self.version, 10)

    # ---------------------------------------------------------------------------------------------------- requests

    def authorization(self):
        return "Basic " + base64.b64encode(("%s:%s" % (self.user, self.password)).encode(self.auth)).decode("ascii")

    def request(self, command, body=b"", parameters=None, headers=None, method="POST"):
        """A complete request. headers: replaces those of the same name; a value of None leaves the header out."""
        if isinstance(body, Node):
            body = wbxml.encode(body)
        parameters = dict(parameters or {})
        own = {"Host": self.connection.authority, "User-Agent": self.user_agent}
        if self.password is not None:
            own["Authorization"] = self.authorization()
        if self.gzip:
            own["Accept-Encoding"] = "gzip"
        target = self.connection.path
        if method == "POST":
            multipart = parameters.pop("multipart", False)
            packed = self.base64_query and self.version >= 121 and command in query.COMMANDS
            if packed:
                if multipart:
                    parameters["Options"] = query.ACCEPT_MULTIPART
                target += "?" + query.base64_form(self.version, command, self.device_id, self.device_type,
                                                  self.policy_key, parameters)
            else:
                target += "?" + query.plain(command, self.user, self.device_id, self.device_type, parameters)
                own["MS-ASProtocolVersion"] = self.version_text
                if self.policy_key is not None:
                    own["X-MS-PolicyKey"] = str(self.policy_key)
                if multipart:
                    own["MS-ASAcceptMultiPart"] = "T"
            if body:
                own["Content-Type"] = WBXML_TYPE
            own["Content-Length"] = str(len(body))
        for name, value in (headers or {}).items():
            for known in [k for k in own if k.lower() == name.lower()]:
                del own[known]
            if value is not None:
                own[name] = value
        return Request(method, target, list(own.items()), body)

    def exchange(self, command, request, cut=None, connection=None):
        """send and decode; every HTTP status is returned, a broken answer is a ProtocolViolation"""
        response = (connection or self.connection).exchange(request, cut)
        return self.decode(command, request, response)

    def decode(self, command, request, response):
        self._check_http(command, request, response)
        answer = Answer(response)
        body = response.body
        if response.status == 200 and request.method == "POST" and body and command not in NO_WBXML:
            if response.content_type == fetching.MULTIPART:
                if command != "ItemOperations" or not self._asked_multipart(request):
                    raise ProtocolViolation("a multipart answer that was not asked for")
                answer.parts = fetching.split_multipart(body)
                body = answer.parts[0]
            try:
                document = wbxml.decode_document(body)
            except wbxml.WbxmlError as error:
                raise ProtocolViolation("%s: broken WBXML: %s" % (command, error)) from None
            wrong = wbxml.check(document, self.version)
            if wrong:
                raise ProtocolViolation("%s: %s" % (command, "; ".join(wrong)))
            answer.document = document.root
        for listener in self.on_answer:
            listener(self, command, request, answer)
        return answer

    @staticmethod
    def _asked_multipart(request):
        if request.header("MS-ASAcceptMultiPart") == "T":
            return True
        return b"\x07\x01\x02" in base64.b64decode(request.target.partition("?")[2] + "===")

    def _check_http(self, command, request, response):
        def refuse(condition, text):
            if condition:
                raise ProtocolViolation("%s: HTTP %d %s" % (command, response.status, text))
        refuse(response.header("Transfer-Encoding") is not None, "with Transfer-Encoding")
        refuse(response.header("Content-Length") is None, "without Content-Length")
        refuse(response.status == 401 and response.header("WWW-Authenticate") is None, "without WWW-Authenticate")
        refuse(response.status == 503 and not (response.header("Retry-After") or "").isdigit(), "without Retry-After")
        for name in ("Content-Length", "MS-ASProtocolVersions", "MS-ASProtocolCommands", "Retry-After"):
            refuse(len(response.all(name)) > 1, "with %s twice" % name)
        if response.status != 200:
            return
        coding = response.header("Content-Encoding")
        offered = "gzip" in (request.header("Accept-Encoding") or "")
        multipart = response.content_type == fetching.MULTIPART
        plain = not response.raw or multipart or command in ("Ping",) + NO_WBXML
        refuse(coding is not None and not offered, "with Content-Encoding that was not offered")
        refuse(coding is not None and plain, "with Content-Encoding on a body that is not compressed")
        refuse(coding is None and offered and not plain and request.method == "POST", "not compressed")
        refuse(response.raw and request.method == "POST" and command not in NO_WBXML and not multipart
               and response.content_type != WBXML_TYPE, "with the Content-Type %r" % response.content_type)

    def post(self, command, body=b"", parameters=None, headers=None, cut=None):
        """any command with any body; the answer whatever its HTTP status"""
        return self.exchange(command, self.request(command, body, parameters, headers), cut)

    def run(self, prepared, cut=None):
        self.last = prepared
        answer = self.exchange(prepared.command, prepared.request, cut)
        if answer.status != 200:
            raise HttpError(prepared.command, answer.response)
        return prepared.apply(answer)

    def repeat(self, cut=None):
        """the last request again, byte for byte, as after a lost answer"""
        return self.run(self.last, cut)

    def at_once(self, requests):
        """Send Requests at the same moment over connections of their own: list of Answer or exception, in order."""
        barrier, out = threading.Barrier(len(requests)), [None] * len(requests)

        def send(index, command, request):
            connection = self.connection.clone()
            try:
                connection.open()
                barrier.wait(10)
                out[index] = Answer(connection.exchange(request))
            except (TransportError, threading.BrokenBarrierError) as error:
                out[index] = error
            finally:
                connection.close()

        threads = [threading.Thread(target=send, args=(i, c, r)) for i, (c, r) in enumerate(requests)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [a if isinstance(a, Exception) else self.decode(c, r, a.response) for a, (c, r) in zip(out, requests)]

    def close(self):
        self.connection.close()

    # ---------------------------------------------------------------------------------------------------- commands

    def options(self, headers=None):
        """dict: versions (list), commands (list), server"""
        request = self.request("OPTIONS", method="OPTIONS", headers=headers)
        response = self.exchange("OPTIONS", request).response
        if response.status != 200:
            raise HttpError("OPTIONS", response)
        lists = []
        for name in ("MS-ASProtocolVersions", "MS-ASProtocolCommands"):
            value = response.header(name)
            if not value or " " in value:
                raise ProtocolViolation("OPTIONS: %s is %r" % (name, value))
            lists.append(value.split(","))
        return {"versions": lists[0], "commands": lists[1], "server": response.header("MS-Server-ActiveSync")}

    def prepare_foldersync(self, key=None):
        sent = self.mailbox.folder_key if key is None else key

        def apply(answer):
            if answer.document is None:
                raise ProtocolViolation("empty answer to FolderSync")
            result = folders.apply(self.mailbox, answer.document, sent, self.version)
            if sent == "0":
                for name in ("MS-ASProtocolVersions", "MS-ASProtocolCommands", "X-MS-RP"):
                    if not answer.response.header(name):
                        raise ProtocolViolation("FolderSync with key 0 without the header " + name)
            return result

        body = Node("FolderHierarchy:FolderSync", Node("SyncKey", sent))
        return Prepared("FolderSync", self.request("FolderSync", body), apply)

    def foldersync(self, key=None, cut=None):
        return self.run(self.prepare_foldersync(key), cut)

    def prepare_sync(self, *collections, window=None, partial=False, extra=None):
        """collections: Coll or folder id. extra: more children of Sync (Wait, HeartbeatInterval)."""
        colls = [c if isinstance(c, Coll) else Coll(c) for c in collections]
        nodes = []
        for coll in colls:
            nodes.append(coll.node(self.version, self._key(coll)))
        body = Node("AirSync:Sync",
                    Node("Collections", nodes) if nodes else None, list(extra or ()),
                    None if window is None else Node("WindowSize", window),
                    Node("Partial") if partial else None)
        asked = [syncing.Asked(c, self._key(c), self.mailbox.collection(c.id)) for c in colls]
        if partial:
            named = {a.coll.id for a in asked}
            asked += [a for a in self._from_cache() if a.coll.id not in named]
        return Prepared("Sync", self.request("Sync", body), lambda answer: self._apply_sync(answer, asked))

    def prepare_empty_sync(self):
        return Prepared("Sync", self.request("Sync"), lambda answer: self._apply_sync(answer, self._from_cache()))

    def _key(self, coll):
        return self.mailbox.collection(coll.id).key if coll.key is None else coll.key

    def _from_cache(self):
        return [syncing.Asked(Coll(c.id, window=c.window, klass=c.klass), self.mailbox.collection(c.id).key,
                              self.mailbox.collection(c.id)) for c in self.cached]

    def _apply_sync(self, answer, asked):
        self.cached = [a.coll for a in asked]
        return syncing.apply(self.mailbox, answer.document, asked, self.version)

    def sync(self, *collections, cut=None, **kwargs):
        return self.run(self.prepare_sync(*collections, **kwargs), cut)

    def empty_sync(self, cut=None):
        return self.run(self.prepare_empty_sync(), cut)

    def sync_all(self, cid, options=None, window=None, rounds=1000):
        """Bring one folder up to date: key 0 when needed, then until nothing more is available. Returns all changes."""
        total = syncing.CollectionResult(1, "")
        if self.mailbox.collection(cid).key == "0":
            total.status = self.sync(cid)[cid].status
        for _ in range(rounds if total.status == 1 else 0):
            one = self.sync(Coll(cid, options=options, window=window))[cid]
            options = None
            total.status, total.key = one.status, one.key
            total.adds.update(one.adds)
            total.changes.update(one.changes)
            total.deletes += one.deletes
            total.soft_deletes += one.soft_deletes
            if one.status != 1 or not one.more:
                return total
        if total.status == 1:
            raise ProtocolViolation("collection %s: more available after %d answers" % (cid, rounds))
        return total

    def prepare_estimate(self, *collections, filter=None):
        nodes, ids = [], []
        for coll in [c if isinstance(c, Coll) else Coll(c) for c in collections]:
            key = Node("AirSync:SyncKey", self._key(coll))
            number = None if filter is None else Node("AirSync:FilterType", filter)
            ids.append(coll.id)
            if self.version < 140:
                parts = [Node("Class", coll.klass), Node("CollectionId", coll.id), number, key]
            else:
                parts = [key, Node("CollectionId", coll.id), number and Node("AirSync:Options", number)]
            nodes.append(Node("Collection", parts))
        body = Node("GetItemEstimate:GetItemEstimate", Node("Collections", nodes))
        return Prepared("GetItemEstimate", self.request("GetItemEstimate", body),
                        lambda answer: self._apply_estimate(answer.document, ids))

    def _apply_estimate(self, document, ids):
        if document is None or document.name != "GetItemEstimate:GetItemEstimate":
            raise ProtocolViolation("answer to GetItemEstimate is %r" % document)
        out = {}
        responses = document.all("Response")
        if len(responses) != len(ids):
            raise ProtocolViolation("%d answers to %d estimates" % (len(responses), len(ids)))
        for cid, response in zip(ids, responses):
            collection, status = response.find("Collection"), int(response.get("Status", "0"))
            estimate = None
            if status == 1:
                if collection is None or collection.get("CollectionId") != cid:
                    raise ProtocolViolation("estimate of %s: %r" % (cid, response))
                if collection.has("Class") != (self.version < 140):
                    raise ProtocolViolation("Class in an estimate: %s" % collection.has("Class"))
                estimate = int(collection.get("Estimate"))
            out[cid] = (status, estimate)
        return out

    def getitemestimate(self, *collections, filter=None):
        """{folder id: (status, number or None)}"""
        return self.run(self.prepare_estimate(*collections, filter=filter))

    def prepare_itemoperations(self, *fetches, multipart=False):
        body = Node("ItemOperations:ItemOperations", [f.node() for f in fetches])
        request = self.request("ItemOperations", body, {"multipart": True} if multipart else None)

        def apply(answer):
            if answer.document is None:
                raise ProtocolViolation("empty answer to ItemOperations")
            if multipart != (answer.parts is not None):
                raise ProtocolViolation("multipart asked: %s, answered: %s" % (multipart, answer.parts is not None))
            return fetching.apply(answer.document, answer.parts, fetches, self.version)

        return Prepared("ItemOperations", request, apply)

    def itemoperations(self, *fetches, multipart=False):
        """list of fetching.Fetched for fetching.Fetch objects"""
        return self.run(self.prepare_itemoperations(*fetches, multipart=multipart))

    def getattachment(self, name):
        """(content type, bytes)"""
        answer = self.post("GetAttachment", parameters={"AttachmentName": name})
        if answer.status != 200:
            raise HttpError("GetAttachment", answer.response)
        return answer.response.content_type, answer.response.body
