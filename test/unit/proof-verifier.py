"""A second verifier of proof bundles, statements of periods and proofs of misbehavior, written from docs/proof.md alone. Usage: proof-verifier.py CASES.json
CASES is a list of {"bundle", "trust"}, or {"pages", "trust"} for a statement of several files; prints one JSON list with, for each, null when it verifies, else why not. Needs `cryptography`."""
import base64, datetime, functools, hashlib, hmac, json, re, sys

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Refused(Exception):
    pass


def need(condition, why):
    if not condition:
        raise Refused(why)


sha256 = lambda data: hashlib.sha256(data).digest()

# ---- Keccak-256 (the padding that came before SHA-3's) ----
MASK = (1 << 64) - 1
ROUNDS, lfsr = [], 1
for _ in range(24):
    constant = 0
    for j in range(7):
        if lfsr & 1:
            constant ^= 1 << ((1 << j) - 1)
        lfsr = (lfsr << 1) ^ (0x171 if lfsr & 0x80 else 0)
    ROUNDS.append(constant)


def keccak_f(a):
    rot = lambda v, n: ((v << n) | (v >> (64 - n))) & MASK if n else v
    for constant in ROUNDS:
        c = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
        d = [c[x - 1] ^ rot(c[(x + 1) % 5], 1) for x in range(5)]
        a = [a[i] ^ d[i % 5] for i in range(25)]
        x, y, current = 1, 0, a[1]
        for t in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            a[x + 5 * y], current = rot(current, ((t + 1) * (t + 2) // 2) % 64), a[x + 5 * y]
        for row in range(0, 25, 5):
            r = a[row : row + 5]
            for x in range(5):
                a[row + x] = r[x] ^ (~r[(x + 1) % 5] & MASK & r[(x + 2) % 5])
        a[0] ^= constant
    return a


@functools.lru_cache(4096)
def keccak256(data):
    data = bytearray(data + b"\x01" + bytes(-(len(data) + 1) % 136))
    data[-1] |= 0x80
    state = [0] * 25
    for at in range(0, len(data), 136):
        for lane in range(17):
            state[lane] ^= int.from_bytes(data[at + 8 * lane : at + 8 * lane + 8], "little")
        state = keccak_f(state)
    return b"".join(lane.to_bytes(8, "little") for lane in state[:4])


# ---- Shapes ----
def text(pattern):
    compiled = re.compile(pattern, re.S)
    return lambda v: isinstance(v, str) and compiled.fullmatch(v) is not None


number = lambda v: isinstance(v, (int, float)) and not isinstance(v, bool)
whole = lambda v: number(v) and v == int(v) and abs(v) < 2**53
count = lambda v: whole(v) and v >= 0
positive = lambda v: whole(v) and v > 0
amount = lambda v: number(v) and v >= 0 and v < float("inf")
flag = lambda v: isinstance(v, bool)
one_of = lambda *allowed: lambda v: any(type(v) is type(a) and v == a for a in allowed)
version1 = lambda v: number(v) and v == 1
hash32 = text("[0-9a-f]{64}")
word = text(r"[\x21-\x7e]{1,128}")
chain_hash = text("0x[0-9a-f]{64}")
address = text("0x[0-9a-f]{40}")
chain_bytes = text("0x([0-9a-f]{2}){1,131072}")
snapshot_id = text("[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}")


def time(v):
    if not (isinstance(v, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", v)):
        return False
    try:
        datetime.datetime.strptime(v, "%Y-%m-%dT%H:%M:%S.%fZ")
        return True
    except ValueError:
        return False


def list_of(check, most):
    return lambda v: isinstance(v, list) and len(v) <= most and all(check(e) for e in v)


def shape(required, optional={}):
    def check(v):
        return (
            isinstance(v, dict)
            and all(k in required or k in optional for k in v)
            and all(k in v and c(v[k]) for k, c in required.items())
            and all(c(v[k]) for k, c in optional.items() if k in v)
        )

    return check


of_snapshot = {"database": hash32, "snapshot": snapshot_id, "manifestHash": hash32}
KINDS = {
    "snapshot-sealed": (
        {**of_snapshot, "ciphertextRoot": hash32, "engine": word, "consistency": one_of("transactional", "per-collection", "fuzzy"), "capturedAt": time, "rows": count, "bytes": count},
        {"signer": hash32, "startedAt": time, "bytesNew": count, "bytesStored": count},
    ),
    "snapshot-replicated": ({**of_snapshot, "copies": count, "domains": count, "failed": count}, {}),
    "snapshot-failed": ({"database": hash32, "run": word, "failure": word}, {}),
    "snapshot-verified": ({**of_snapshot, "packs": count}, {"bytes": count, "store": word}),
    "drilled": ({**of_snapshot, "identical": flag, "seconds": amount, "rows": count}, {"bytes": count, "differences": count}),
    "deleted": ({**of_snapshot, "reason": one_of("retention", "erasure", "request"), "envelopes": count}, {"packs": count, "means": one_of("bytes", "envelopes", "unpinning")}),
    "deletion-scheduled": ({**of_snapshot, "due": time, "reason": one_of("retention", "request")}, {}),
    "deletion-undone": (of_snapshot, {}),
    "retention-halted": ({"database": hash32, "alarm": one_of("flood", "shrunk")}, {}),
    "approval": ({"act": one_of("lift-hold", "shorten-retention", "delete-database", "change-approvers"), "outcome": one_of("granted", "expired"), "request": hash32, "requestedBy": hash32}, {"database": hash32, "approvedBy": hash32}),
    "erased": ({"request": hash32, "snapshots": count}, {"database": hash32}),
    "hold-placed": ({"hold": hash32}, {"database": hash32, "snapshot": snapshot_id, "until": time}),
    "hold-lifted": ({"hold": hash32}, {"database": hash32, "snapshot": snapshot_id}),
    "sweep-finished": ({"reportHash": hash32, "pass": count, "fail": count, "notApplicable": count, "inconclusive": count}, {}),
    "retention-executed": ({"removed": count, "kept": count}, {"database": hash32, "packs": count}),
    "copies-repaired": ({"store": word, "asked": count, "found": count, "repaired": count}, {}),
    "objects-deleted": ({"objects": positive, "packs": count, "keysHash": hash32}, {"gone": count, "unpinned": count, "kept": count}),
    "configuration-changed": ({"configuration": hash32, "signer": hash32, "recipients": list_of(word, 256)}, {}),
    "challenged": ({**of_snapshot, "store": word, "blocks": positive, "proven": count, "size": positive, "chainId": positive, "blockHash": chain_hash}, {}),
    "access-summarized": ({"day": text("[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"), "counts": list_of(shape({"token": word, "route": hash32, "requests": positive}), 400)}, {}),
    "keys-rotated": ({"purpose": one_of("log", "signing", "recipient", "index"), "before": word, "after": word}, {"until": time}),
}


def entry(v):
    if not (isinstance(v, dict) and isinstance(v.get("kind"), str) and v["kind"] in KINDS):
        return False
    required, optional = KINDS[v["kind"]]
    common = {"version": version1, "kind": one_of(v["kind"]), "salt": hash32, "identity": hash32, "sequence": positive, "time": time}
    return shape({**common, **required}, optional)(v)


note_text = text(r".{1,16384}")
proof_list = list_of(hash32, 64)
anchor = shape({
    "kind": one_of("evm"), "chainId": positive, "contract": address, "transaction": chain_hash, "block": count, "blockHash": chain_hash, "time": time,
    "header": chain_bytes, "transactionIndex": count, "transactionProof": list_of(chain_bytes, 24), "receiptProof": list_of(chain_bytes, 24), "logIndex": count,
})
base64_text = text("[A-Za-z0-9+/]+={0,2}")
disclosed = shape({"name": text(".{1,1000}"), "salt": hash32})
proven = shape({"entry": entry, "index": count, "inclusion": proof_list})
attestation = {"version": version1, "checkpoint": note_text, "anchors": list_of(anchor, 8)}
more_attestation = {
    "timestamps": list_of(shape({"kind": one_of("rfc3161"), "token": text("[A-Za-z0-9+/=]{1,90000}")}), 8),
    "consistency": shape({"checkpoint": note_text, "proof": proof_list}),
}
bundle_shape = shape(
    {**attestation, "format": one_of("dbgov-proof"), "entry": entry, "index": count, "inclusion": proof_list},
    {**more_attestation, "database": disclosed, "manifest": shape({"content": base64_text, "envelope": shape({"recipient": word, "kem": base64_text, "wrapped": base64_text})})},
)
period_shape = shape(
    {**attestation, "format": one_of("dbgov-period"), "database": disclosed, "from": time, "to": time, "entries": list_of(proven, 10000)},
    {
        **more_attestation, "before": proven, "after": proven, "page": shape({"number": positive, "of": positive}),
        "objectives": shape({}, {name: positive for name in ("snapshotEverySeconds", "verifyEverySeconds", "drillEverySeconds", "restoreWithinSeconds")}),
    },
)
misbehavior_shape = shape({"format": one_of("dbgov-misbehavior"), "version": version1, "views": list_of(shape({"checkpoint": note_text}, {"entry": proven}), 2)})


# ---- Canonical JSON (RFC 8785) ----
def canonical(v):
    if isinstance(v, dict):
        return "{" + ",".join(json.dumps(k, ensure_ascii=False) + ":" + canonical(v[k]) for k in sorted(v)) + "}"
    if isinstance(v, list):
        return "[" + ",".join(map(canonical, v)) + "]"
    if isinstance(v, float):
        return str(int(v)) if v == int(v) and abs(v) < 1e21 else re.sub(r"e([+-])0+", r"e\1", repr(v))
    return json.dumps(v, ensure_ascii=False)


# ---- The log's tree (RFC 9162, section 2.1) ----
leaf_hash = lambda data: sha256(b"\0" + data)
node_hash = lambda left, right: sha256(b"\1" + left + right)


def root_from_inclusion(leaf, index, size, path):
    need(index < size, "index beyond the log")
    fn, sn, r = index, size - 1, leaf
    for p in path:
        need(sn != 0, "inclusion proof too long")
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0, "inclusion proof too short")
    return r


def check_consistency(first, first_root, second, second_root, path):
    need(first <= second, "consistency backwards")
    if first == second:
        return need(not path and first_root == second_root, "two roots of one size")
    if first == 0:
        return need(not path and first_root == sha256(b""), "the empty log has another root")
    if first & (first - 1) == 0:
        path = [first_root] + path
    need(path, "no consistency proof")
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        need(sn != 0, "consistency proof too long")
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, c)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0 and fr == first_root and sr == second_root, "the log was rewritten")


# ---- Signed notes, checkpoints, cosignatures (C2SP) ----
def b64(value):
    try:
        data = base64.b64decode(value, validate=True)
    except Exception:
        raise Refused("not base64")
    need(base64.b64encode(data).decode() == value, "base64 in another form")
    return data


def vkey(value, kind):
    name, key_id, data = value.rsplit("+", 2)
    data = b64(data)
    need(data[0] == kind and len(data) == 33 and sha256(name.encode() + b"\n" + data)[:4].hex() == key_id, "not a vkey")
    return name, bytes.fromhex(key_id), data[1:]


def ed25519(key, message, signature):
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        return True
    except (InvalidSignature, ValueError):
        return False


def open_note(note):
    need(not any((ord(c) < 32 and c != "\n") or ord(c) == 127 or 0xD800 <= ord(c) <= 0xDFFF for c in note), "control characters")
    need("\n\n" in note and note.endswith("\n"), "no signed note")
    body, lines = note.rsplit("\n\n", 1)
    signatures = []
    for line in lines[:-1].split("\n"):
        parts = line.split(" ")
        need(len(parts) == 3 and parts[0] == "\u2014" and re.fullmatch(r"[^\s+]{1,256}", parts[1]), "a malformed signature line")
        data = b64(parts[2])
        need(len(data) > 4, "a short signature")
        signatures.append((parts[1], data[:4], data[4:]))
    need(len(signatures) <= 16, "too many signatures")
    return body + "\n", signatures


def open_checkpoint(note, log):
    """With the moment until which the key that signed was the log's; none for the present key."""
    body, signatures = open_note(note)
    name, key_id, key = vkey(log["publicKey"], 1)
    until = None
    if not any(n == name and i == key_id for n, i, _ in signatures):
        for retired in sorted(log.get("retiredKeys", []), key=lambda one: one["until"], reverse=True):
            old_name, old_id, old_key = vkey(retired["publicKey"], 1)
            own = [s for n, i, s in signatures if n == old_name and i == old_id]
            if len(own) == 1 and ed25519(old_key, body.encode(), own[0]):
                name, key_id, key, until = old_name, old_id, old_key, seconds(retired["until"])
                break
    lines = body.split("\n")
    need(len(lines) == 4 and re.fullmatch(r"0|[1-9][0-9]{0,15}", lines[1]) and int(lines[1]) < 2**53, "not a checkpoint")
    root = b64(lines[2])
    need(len(root) == 32 and lines[0] == log["origin"] == name, "another log's checkpoint")
    own = [s for n, i, s in signatures if n == name and i == key_id]
    need(len(own) == 1 and len(own[0]) == 64 and ed25519(key, body.encode(), own[0]), "the log's signature is wrong")
    return body, signatures, int(lines[1]), root, until


def check_witnesses(body, signatures, witnesses):
    found = 0
    for value in witnesses["publicKeys"]:
        name, key_id, key = vkey(value, 4)
        own = [s for n, i, s in signatures if n == name and i == key_id]
        for s in own:
            message = b"cosignature/v1\ntime %d\n%s" % (int.from_bytes(s[:8], "big"), body.encode())
            need(len(s) == 72 and ed25519(key, message, s[8:]), "a wrong cosignature")
        need(len(own) <= 1, "two cosignatures of one witness")
        found += len(own)
    need(found >= witnesses["quorum"], "too few cosignatures")


# ---- Ethereum: RLP, tries, receipts ----
def rlp(data):
    def item(at, end):
        need(at < end, "rlp cut off")
        first = data[at]
        if first < 0x80:
            return data[at : at + 1], at + 1
        base = 0xC0 if first >= 0xC0 else 0x80
        length, start = first - base, at + 1
        if length > 55:
            digits = data[start : start + length - 55]
            need(len(digits) == length - 55 <= 4 and digits[0] != 0, "rlp length")
            start += len(digits)
            length = int.from_bytes(digits, "big")
            need(length > 55, "rlp length not minimal")
        stop = start + length
        need(stop <= end, "rlp cut off")
        if base == 0x80:
            need(not (length == 1 and data[start] < 0x80), "rlp not minimal")
            return data[start:stop], stop
        items = []
        while start < stop:
            value, start = item(start, stop)
            items.append(value)
        return items, stop

    value, end = item(0, len(data))
    need(end == len(data), "rlp with something after it")
    return value


def uint(value):
    need(isinstance(value, bytes) and value[:1] != b"\0", "not a number")
    return int.from_bytes(value, "big")


nibbles = lambda data: [n for b in data for n in (b >> 4, b & 15)]


def trie_value(root, key, proof):
    path, at, used, ref = nibbles(key), 0, 0, root
    while True:
        if isinstance(ref, bytes):
            need(used < len(proof) and keccak256(proof[used]) == ref, "a node is not the one that its parent names")
            node = rlp(proof[used])
            used += 1
        else:
            node = ref
        need(isinstance(node, list) and len(node) in (2, 17), "not a node")
        if len(node) == 17:
            if at == len(path):
                value = node[16]
                break
            ref, at = node[path[at]], at + 1
            continue
        need(isinstance(node[0], bytes) and node[0] and node[0][0] >> 4 <= 3, "not a path")
        part = nibbles(node[0])
        leaf, part = part[0] >= 2, part[1:] if part[0] & 1 else part[2:]
        need(path[at : at + len(part)] == part, "the proof leads elsewhere")
        at += len(part)
        if leaf:
            need(at == len(path), "the proof ends early")
            value = node[1]
            break
        ref = node[1]
    need(isinstance(value, bytes) and value and used == len(proof), "the proof has no value, or nodes too many")
    return value


raw = lambda value: bytes.fromhex(value[2:])
untyped = lambda data: data[1:] if data[0] < 0x80 else data


def rlp_index(n):
    data = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return data if 0 < n < 0x80 else bytes([0x80 + len(data)]) + data


def check_anchor(a, origin, size, root):
    header_bytes = raw(a["header"])
    need(keccak256(header_bytes) == raw(a["blockHash"]), "the header is another block's")
    header = rlp(header_bytes)
    need(uint(header[8]) == a["block"], "another block number")
    stamp = datetime.datetime.fromtimestamp(uint(header[11]), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    need(stamp == a["time"], "another block time")
    key = rlp_index(int(a["transactionIndex"]))
    transaction = trie_value(header[4], key, [raw(n) for n in a["transactionProof"]])
    need(keccak256(transaction) == raw(a["transaction"]), "another transaction")
    fields = rlp(untyped(transaction))
    if 1 <= transaction[0] <= 4:
        need(uint(fields[0]) == a["chainId"], "a transaction of another chain")
    elif transaction[0] >= 0x80 and uint(fields[6]) >= 35:
        need((uint(fields[6]) - 35) // 2 == a["chainId"], "a transaction of another chain")
    receipt = rlp(untyped(trie_value(header[5], key, [raw(n) for n in a["receiptProof"]])))
    need(uint(receipt[0]) == 1, "the transaction failed")
    logs = receipt[3]
    need(a["logIndex"] < len(logs), "no such log")
    emitter, topics, data = logs[int(a["logIndex"])]
    need(emitter == raw(a["contract"]), "another contract")
    expected = [keccak256(b"Anchored(bytes32,uint64,bytes32)"), sha256(origin.encode()), size.to_bytes(32, "big")]
    need(topics == expected and data == root, "another event")


# ---- RFC 3161 ----
def der(data):
    out, at = [], 0
    while at < len(data):
        need(len(data) >= at + 2 and data[at] & 31 != 31, "der")
        tag, length, start = data[at], data[at + 1], at + 2
        if length >= 0x80:
            n = length & 0x7F
            digits = data[start : start + n]
            need(0 < n <= 4 and len(digits) == n and digits[0] != 0, "der length")
            length, start = int.from_bytes(digits, "big"), start + n
            need(length >= 0x80, "der length not minimal")
        need(start + length <= len(data), "der cut off")
        out.append((tag, data[at : start + length], data[start : start + length]))
        at = start + length
    return out


def inside(element, tag):
    need(element[0] == tag, "der tag")
    return der(element[2])


HASHES = {bytes.fromhex("608648016503040201"): hashes.SHA256, bytes.fromhex("608648016503040202"): hashes.SHA384, bytes.fromhex("608648016503040203"): hashes.SHA512}
SIGNATURES = {
    "2a864886f70d010101": None, "2a864886f70d01010b": hashes.SHA256, "2a864886f70d01010c": hashes.SHA384, "2a864886f70d01010d": hashes.SHA512,
    "2a8648ce3d040302": hashes.SHA256, "2a8648ce3d040303": hashes.SHA384, "2a8648ce3d040304": hashes.SHA512,
}
TST_INFO = bytes.fromhex("2a864886f70d0109100104")


def digest(algorithm, data):
    h = hashes.Hash(algorithm())
    h.update(data)
    return h.finalize()


def path_to_root(certificate, others, roots, when, below=0):
    need(certificate.not_valid_before_utc <= when <= certificate.not_valid_after_utc and below < 8, "a certificate is not valid at the time")
    if certificate in roots:
        return [certificate]
    for issuer in roots + others:
        try:
            if issuer == certificate:
                continue
            certificate.verify_directly_issued_by(issuer)
            constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
            if not constraints.ca or (constraints.path_length is not None and constraints.path_length < below):
                continue
            usages = [e.value for e in issuer.extensions if isinstance(e.value, x509.KeyUsage)]
            if usages and not usages[0].key_cert_sign:
                continue
            return [certificate] + path_to_root(issuer, others, roots, when, below + 1)
        except (Refused, InvalidSignature, ValueError, TypeError, x509.ExtensionNotFound):
            continue
    raise Refused("the signer leads to no trusted root")


def check_token(token, hashed, roots):
    """The time, in seconds."""
    (content,) = der(token)
    kind, wrapped = inside(content, 0x30)
    need(kind[2] == bytes.fromhex("2a864886f70d010702"), "not signed data")
    (data,) = inside(wrapped, 0xA0)
    version, digest_set, encapsulated, *rest = inside(data, 0x30)
    content_type, content0 = inside(encapsulated, 0x30)
    (octets,) = inside(content0, 0xA0)
    info = octets[2]
    need(version[2] == b"\x03" and content_type[2] == TST_INFO and octets[0] == 4, "not a time")
    certificates = [x509.load_der_x509_certificate(c[1]) for part in rest if part[0] == 0xA0 for c in der(part[2])]
    need(len(certificates) <= 16, "too many certificates")
    (signer,) = inside(rest[-1], 0x31)
    (tst,) = der(info)
    version, _policy, imprint, _serial, stamp, *_ = inside(tst, 0x30)
    algorithm, imprinted = inside(imprint, 0x30)
    need(version[2] == b"\x01" and HASHES.get(inside(algorithm, 0x30)[0][2]) is hashes.SHA256 and imprinted[2] == hashed, "of another hash")
    when = datetime.datetime.strptime(re.fullmatch(r"([0-9]{14})(\.[0-9]{1,9})?Z", stamp[2].decode("latin1"))[1], "%Y%m%d%H%M%S").replace(tzinfo=datetime.timezone.utc)
    version, who, digest_algorithm, attributes, signature_algorithm, signature, *more = inside(signer, 0x30)
    need(version[2] == b"\x01" and not more and attributes[0] == 0xA0, "another kind of signer")
    (listed,) = inside(digest_set, 0x31)
    need(listed[1] == digest_algorithm[1], "other digests than its signer's")
    issuer, serial = inside(who, 0x30)
    signers = [c for c in certificates + roots if c.issuer.public_bytes() == issuer[1] and c.serial_number == int.from_bytes(serial[2], "big", signed=True)]
    need(signers, "without its certificate")
    certificate, used = signers[0], HASHES[inside(digest_algorithm, 0x30)[0][2]]
    signed = {}
    for attribute in der(attributes[2]):
        oid, values = inside(attribute, 0x30)
        need(oid[2] not in signed, "an attribute twice")
        (signed[oid[2]],) = inside(values, 0x31)
    need(signed[bytes.fromhex("2a864886f70d010903")][2] == TST_INFO, "signed as something else")
    need(signed[bytes.fromhex("2a864886f70d010904")][2] == digest(used, info), "another digest")
    v2, v1 = signed.get(bytes.fromhex("2a864886f70d010910022f")), signed.get(bytes.fromhex("2a864886f70d010910020c"))
    first = inside(inside(inside(v2 or v1, 0x30)[0], 0x30)[0], 0x30)
    named = hashes.SHA256
    if v2 and first[0][0] == 0x30:
        named = HASHES[inside(first.pop(0), 0x30)[0][2]]
    raw_certificate = certificate.public_bytes(__import__("cryptography.hazmat.primitives.serialization", fromlist=["Encoding"]).Encoding.DER)
    need(first[0][2] == (digest(named, raw_certificate) if v2 else hashlib.sha1(raw_certificate).digest()), "another certificate is named")
    message = b"\x31" + attributes[1][1:]
    algorithm = SIGNATURES[inside(signature_algorithm, 0x30)[0][2].hex()] or used
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature[2], message, padding.PKCS1v15(), algorithm())
    else:
        key.verify(signature[2], message, ec.ECDSA(algorithm()))
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    need(usage.critical and [u.dotted_string for u in usage.value] == ["1.3.6.1.5.5.7.3.8"], "not for time stamping alone")
    path = path_to_root(certificate, certificates, roots, when)
    need(all(c in path for c in certificates), "certificates that are not needed")
    return when.timestamp()


# ---- The audit ----
seconds = lambda value: datetime.datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc).timestamp()


def check_time(attested, claimed, require):
    need(claimed <= attested + 300, "the entry is later than what attests it")
    need("anchorBy" not in require or attested <= seconds(require["anchorBy"]), "attested too late")
    need("anchorWithinSeconds" not in require or attested - claimed <= require["anchorWithinSeconds"], "attested too long after the entry")


def check_signer(e, trust):
    if e["kind"] == "snapshot-sealed" and "signingKeys" in trust:
        windows = [k if isinstance(k, dict) else {"publicKey": k} for k in trust["signingKeys"]]
        mine = [k for k in windows if k["publicKey"] == e.get("signer")]
        # Times of one form and of one length are in the order of their text.
        need(any(k.get("from", "") <= e["time"] <= k.get("until", "9999") for k in mine), "signed by an unknown key, or out of its time")


def check_included(one, size, root):
    path = [bytes.fromhex(h) for h in one["inclusion"]]
    data = canonical(one["entry"]).encode()
    need(len(data) <= 65535 and root_from_inclusion(leaf_hash(data), int(one["index"]), size, path) == root, "not in the log")


def verify(bundle, trust):
    need(bundle_shape(bundle), "not a bundle")
    e, log, require = bundle["entry"], trust["log"], trust.get("require", {})
    body, signatures, size, root, until = open_checkpoint(bundle["checkpoint"], log)
    check_included(bundle, size, root)
    check_signer(e, trust)
    if "database" in bundle:
        named = hmac.new(bytes.fromhex(bundle["database"]["salt"]), bundle["database"]["name"].encode(errors="replace"), "sha256").hexdigest()
        need(named == e.get("database"), "another database")
    if "manifest" in bundle:
        need(sha256(b64(bundle["manifest"]["content"])).hex() == e.get("manifestHash"), "another manifest")
    heads = {size: root}
    if "consistency" in bundle:
        _, _, other, other_root, _ = open_checkpoint(bundle["consistency"]["checkpoint"], log)
        proof = [bytes.fromhex(h) for h in bundle["consistency"]["proof"]]
        (a, ra), (b, rb) = sorted([(other, other_root), (size, root)], key=lambda head: head[0])
        check_consistency(a, ra, b, rb, proof)
        heads.setdefault(other, other_root)
    if "since" in trust:
        need(trust["since"]["size"] in heads and heads[trust["since"]["size"]].hex() == trust["since"]["root"], "not the log seen before")
    if "witnesses" in trust:
        check_witnesses(body, signatures, trust["witnesses"])
    good, shown = 0, []
    transactions = [a["transaction"] for a in bundle["anchors"]]
    need(len(set(transactions)) == len(transactions), "an anchor twice")
    for a in bundle["anchors"]:
        check_anchor(a, log["origin"], size, root)
        chains = [c for c in trust.get("chains", []) if c["chainId"] == a["chainId"] and c["contract"] == a["contract"]]
        blocks = [b["hash"] for c in chains for b in c.get("finalizedBlocks", []) if b["number"] == a["block"]]
        need(all(h == a["blockHash"] for h in blocks), "another block is final")
        try:
            check_time(seconds(a["time"]), seconds(e["time"]), require)
            good += bool(blocks)
            shown += [seconds(a["time"])] if blocks else []
        except Refused:
            pass
    need(good or require.get("anchor") is False, "no anchor")
    roots = [c for pem in trust.get("authorities", []) for c in x509.load_pem_x509_certificates(pem.encode())]
    tokens, good = [t["token"] for t in bundle.get("timestamps", [])], 0
    need(len(set(tokens)) == len(tokens), "a time stamp twice")
    for token in tokens:
        try:
            when = check_token(b64(token), sha256(body.encode()), roots)
        except Refused as refusal:
            if str(refusal) == "the signer leads to no trusted root":
                continue
            raise
        try:
            check_time(when, seconds(e["time"]), require)
            good += 1
            shown.append(when)
        except Refused:
            pass
    need(good or not require.get("timestamp"), "no time stamp")
    need(until is None or any(t <= until for t in shown), "signed by a retired key, and nothing shows when")


def verify_period(pages, trust):
    need(pages, "nothing to verify")
    previous = first = first_head = None
    for taken, page in enumerate(pages, 1):
        need(period_shape(page), "not a statement")
        where = page.get("page", {"number": 1, "of": 1})
        need(where["number"] == taken and where["of"] == len(pages), "a page is missing, or out of order")
        need("before" not in page or taken == 1, "a border inside")
        need("after" not in page or taken == len(pages), "a border inside")
        statement = [page["database"], page["from"], page["to"], page.get("objectives")]
        need(first is None or statement == first, "pages of two statements")
        first = statement
        begin, end, entries = page["from"], page["to"], page["entries"]
        need(begin <= end, "a period that ends before it begins")
        shown = ([page["before"]] if "before" in page else []) + entries + ([page["after"]] if "after" in page else [])
        need(shown, "no entry")
        attested = {k: v for k, v in page.items() if k in ("version", "checkpoint", "anchors", "timestamps", "consistency", "database")}
        require = {k: v for k, v in trust.get("require", {}).items() if k != "anchorWithinSeconds" or taken == len(pages)}
        verify({**attested, "format": "dbgov-proof", **shown[-1]}, {**trust, "require": require})
        _, _, size, root, _ = open_checkpoint(page["checkpoint"], trust["log"])
        need(first_head in (None, (size, root)), "pages under two heads")
        first_head = (size, root)
        name, salt = page["database"]["name"], page["database"]["salt"]
        commitment = hmac.new(bytes.fromhex(salt), name.encode(errors="replace"), "sha256").hexdigest()
        for one in shown:
            check_included(one, size, root)
            check_signer(one["entry"], trust)
            need(one["entry"].get("database") == commitment, "an entry of another database")
            if previous is not None:
                need(one["entry"]["sequence"] == previous["entry"]["sequence"] + 1 and one["index"] > previous["index"], "an entry is missing")
            elif "before" not in page:
                need(one["entry"]["sequence"] == 1, "an entry is missing at the begin")
            previous = one
        if taken == 1 and entries:
            need(begin <= entries[0]["entry"]["time"] <= end, "an entry from outside")
        if taken == len(pages) and entries:
            need(begin <= entries[-1]["entry"]["time"] <= end, "an entry from outside")
        need("before" not in page or page["before"]["entry"]["time"] < begin, "before is inside")
        need("after" not in page or page["after"]["entry"]["time"] > end, "after is inside")


def verify_misbehavior(proof, trust):
    need(misbehavior_shape(proof) and len(proof["views"]) == 2, "not a proof of misbehavior")
    heads = []
    for view in proof["views"]:
        _, _, size, root, _ = open_checkpoint(view["checkpoint"], trust["log"])
        heads.append((size, root))
        if "entry" in view:
            check_included(view["entry"], size, root)
    (a, b), (one, two) = heads, [view.get("entry") for view in proof["views"]]
    fork = a[0] == b[0] and a[1] != b[1]
    twice = one and two and one["index"] == two["index"] and canonical(one["entry"]) != canonical(two["entry"])
    need(fork or twice, "no contradiction")


def verdict(case):
    try:
        of = case["bundle"].get("format") if isinstance(case.get("bundle"), dict) else None
        if "pages" in case:
            verify_period(case["pages"], case["trust"])
        elif of == "dbgov-misbehavior":
            verify_misbehavior(case["bundle"], case["trust"])
        else:
            verify(case["bundle"], case["trust"])
        return None
    except Refused as refusal:
        return str(refusal)
    except Exception as error:  # What cannot be read is refused as well.
        return "unreadable: " + type(error).__name__


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        print(json.dumps([verdict(case) for case in json.load(file)]))
