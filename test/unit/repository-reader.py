"""Reads a dbgov repository, from docs/format.md alone. Usage: repository-reader.py VECTOR.json
Prints one JSON line for each stream: name, sha256, rows, bytes, sum. Needs `cryptography`; zstd from `zstandard` or the program `zstd`."""
import base64, hashlib, hmac, json, re, struct, subprocess, sys

from cryptography.hazmat.primitives.asymmetric import mlkem
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

M = 0xFFFFFFFF
b64 = base64.b64decode
sha256 = lambda data: hashlib.sha256(data).digest()
u32 = lambda data, at: struct.unpack_from("<I", data, at)[0]


def canonical(value):  # RFC 8785 for what manifests hold: strings, integers, lists, objects
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def hchacha20(key, nonce):
    s = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))

    def quarter(a, b, c, d):
        for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = (s[x] + s[y]) & M
            v = s[z] ^ s[x]
            s[z] = ((v << turn) | (v >> (32 - turn))) & M

    for _ in range(10):
        for q in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15), (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            quarter(*q)
    return struct.pack("<8I", *s[0:4], *s[12:16])


def unseal(key, aad, sealed):
    return ChaCha20Poly1305(hchacha20(key, sealed[:16])).decrypt(bytes(4) + sealed[16:24], sealed[24:], aad)


def derive(label, secret):
    return hashlib.blake2b(label.encode().ljust(128, b"\0") + secret).digest()


def xwing(secret, ciphertext):
    e = hashlib.shake_256(secret).digest(96)
    x = X25519PrivateKey.from_private_bytes(e[64:])
    shared = mlkem.MLKEM768PrivateKey.from_seed_bytes(e[:64]).decapsulate(ciphertext[:1088])
    ours = x.exchange(X25519PublicKey.from_public_bytes(ciphertext[1088:]))
    return hashlib.sha3_256(shared + ours + ciphertext[1088:] + x.public_key().public_bytes_raw() + bytes.fromhex("5c2e2f2f5e5c")).digest()


def hkdf(secret, info):
    return hmac.digest(hmac.digest(bytes(32), secret, "sha256"), info + b"\x01", "sha256")


def unwrap(envelopes, secret):
    for e in envelopes:
        context = f"dbgov-1/envelope\0{e['kind']}\0{e['object']}\0{e['recipient']}".encode()
        try:
            return unseal(hkdf(xwing(secret, b64(e["kem"])), context), context, b64(e["wrapped"]))
        except Exception:
            continue
    raise SystemExit("no envelope opens")


def unzstd(data):
    try:
        import zstandard

        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    except ImportError:
        return subprocess.run(["zstd", "-dcq"], input=data, stdout=subprocess.PIPE, check=True).stdout


def read_range(data, key, packs):
    head, r, b = data[:24], u32(data, 12), u32(data, 16)
    assert head[:8] == b"DBGVRANG" and u32(data, 8) == 1 and sha256(data[: 24 + r + b]) == data[24 + r + b :]
    refs, body = data[24 : 24 + r], data[24 + r : 24 + r + b]
    plain = unseal(key, b"dbgov-1/range-body\0" + head + sha256(refs), body)
    count = u32(plain, 0)
    names = [plain[4 + 32 * n : 36 + 32 * n].hex() for n in range(count)]
    for at in range(4 + 32 * count, len(plain), 80):
        chunk, chunk_key = plain[at : at + 32], plain[at + 32 : at + 64]
        pack, offset, stored, size = struct.unpack_from("<4I", plain, at + 64)
        opened = unseal(chunk_key, b"dbgov-1/chunk\0" + chunk, packs(names[pack])[offset : offset + stored])
        content = unzstd(opened[1:]) if opened[0] == 1 else opened[1:]
        assert len(content) == size and opened[0] in (0, 1)
        yield content


def rows_of(framing, data):
    if framing == "opaque":
        return [data] if data else []
    if framing == "lines":
        return data.split(b"\n")[:-1] and [row + b"\n" for row in data.split(b"\n")[:-1]] + ([data.rsplit(b"\n", 1)[1]] if not data.endswith(b"\n") else [])
    rows, at = [], 0
    while at < len(data):
        rows.append(data[at : at + u32(data, at)])
        at += u32(data, at)
    return rows


def digest(framing, data, key):
    t = struct.unpack_from("<514I", b"".join(derive("dbgov-1/row-table", key + bytes([n])) for n in range(33)))

    def mix(h):
        h = (h ^ (h >> 16)) * 0x85EBCA6B & M
        h = (h ^ (h >> 13)) * 0xC2B2AE35 & M
        return h ^ (h >> 16)

    high_sum = low_sum = 0
    rows = rows_of("lines", re.sub(rb"\t[^\n]*", b"", data)) if framing == "stamped" else rows_of(framing, data)
    for row in rows:
        a, b = t[512], t[513]
        for x in row:
            a = (a * 0x01000193 + t[x]) & M
            b = (b * 0x85EBCA6B + t[256 + x]) & M
        high = mix((a + len(row)) & M)
        high_sum, low_sum = (high_sum + high) & M, (low_sum + mix(b ^ high)) & M
    return {"rows": 0 if framing == "opaque" else len(rows), "bytes": len(data), "sum": f"{high_sum:08x}{low_sum:08x}"}


def main(path):
    vector = json.load(open(path))
    get = lambda key: b64(vector["objects"][key])
    envelopes = lambda name: json.loads(get(f"envelopes/{name}"))
    secret = b64(vector["recipientSecret"].removeprefix("dbgov-secret-1:"))
    for key in sorted(vector["objects"]):
        if not key.startswith("manifests/"):
            continue
        data = get(key)
        manifest = json.loads(data)
        assert canonical(manifest) == data and manifest["version"] == 1
        signature = b64(manifest.pop("signature"))
        signer = Ed25519PublicKey.from_public_bytes(b64(vector["signingPublicKey"]))
        signer.verify(signature, b"dbgov-1/manifest-signature\0" + canonical(manifest))
        assert hashlib.sha256(canonical({k: v for k, v in manifest.items() if k != "checksum"})).hexdigest() == manifest["checksum"]
        snapshot = manifest["snapshot"]
        aad = f"dbgov-1/manifest-content\0{snapshot}\0".encode() + sha256(b64(manifest["index"]))
        content = json.loads(unseal(unwrap(envelopes(snapshot), secret), aad, b64(manifest["content"])))
        for stream in content["streams"]:
            whole = b""
            for part in stream["ranges"]:
                stored = get(f"ranges/{part['id'][:2]}/{part['id']}")
                assert hashlib.sha256(stored).hexdigest() == part["id"]
                whole += b"".join(read_range(stored, unwrap(envelopes(part["id"]), secret), lambda id: get(f"packs/{id[:2]}/{id}")))
            found = digest(stream["framing"], whole, b64(content["digestKey"]))
            assert found == {k: stream[k] for k in found}, (found, stream)
            print(json.dumps({"name": stream["name"], "sha256": hashlib.sha256(whole).hexdigest(), **found}))


main(sys.argv[1])
