#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What OpenSSL's library answers for every cipher, digest and MAC that it has.

A line "KIND NAME ANSWER" each: the beginning of the SHA-256 of the outputs for many lengths of a fixed
input. Ciphers also have to give the input back. tests/user/ciphers.answers was written on x86-64, whose
code in OpenSSL is another:
    tests/user/ciphers.py > tests/user/ciphers.answers
A guest compares with that file (--compare FILE): all that either has must be in the other.
"""

import ctypes
import hashlib
import sys
from ctypes import byref, c_char_p, c_int, c_size_t, c_uint, c_void_p

crypto = ctypes.CDLL("libcrypto.so.3")
AEAD_FLAG, WRAP_ALLOW, XOF_FLAG = 0x200000, 1, 2
GCM_MODE, CCM_MODE, XTS_MODE, WRAP_MODE, OCB_MODE, SIV_MODE = 6, 7, 0x10001, 0x10002, 0x10003, 0x10004
SET_IVLEN, GET_TAG, SET_TAG = 9, 16, 17  # EVP_CTRL_AEAD_...
TAG = 16
LENGTHS = [0, 1, 7, 8, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 100, 127, 128, 129, 191, 192, 255, 256,
           257, 384, 512, 768, 1000, 1023, 1024, 2048, 4096, 4111]


def function(name, result, *arguments):
    f = getattr(crypto, name)
    f.restype, f.argtypes = result, arguments
    return f


CALLBACK = ctypes.CFUNCTYPE(None, c_void_p, c_void_p)
P, I, Z, S = c_void_p, c_int, c_size_t, c_char_p
load = function("OSSL_PROVIDER_load", P, P, S)
cipher_new = function("EVP_CIPHER_CTX_new", P)
cipher_free = function("EVP_CIPHER_CTX_free", None, P)
cipher_init = function("EVP_CipherInit_ex", I, P, P, P, S, S, I)
cipher_update = function("EVP_CipherUpdate", I, P, P, P, S, I)
cipher_final = function("EVP_CipherFinal_ex", I, P, P, P)
cipher_ctrl = function("EVP_CIPHER_CTX_ctrl", I, P, I, I, P)
cipher_set_flags = function("EVP_CIPHER_CTX_set_flags", None, P, I)
cipher_key_length = function("EVP_CIPHER_get_key_length", I, P)
cipher_iv_length = function("EVP_CIPHER_get_iv_length", I, P)
cipher_mode = function("EVP_CIPHER_get_mode", I, P)
cipher_flags = function("EVP_CIPHER_get_flags", ctypes.c_ulong, P)
md_new = function("EVP_MD_CTX_new", P)
md_free = function("EVP_MD_CTX_free", None, P)
md_init = function("EVP_DigestInit_ex", I, P, P, P)
md_update = function("EVP_DigestUpdate", I, P, S, Z)
md_final = function("EVP_DigestFinal_ex", I, P, P, P)
md_final_xof = function("EVP_DigestFinalXOF", I, P, P, Z)
md_flags = function("EVP_MD_get_flags", ctypes.c_ulong, P)
mac_new = function("EVP_MAC_CTX_new", P, P)
mac_free = function("EVP_MAC_CTX_free", None, P)
mac_init = function("EVP_MAC_init", I, P, S, Z, P)
mac_update = function("EVP_MAC_update", I, P, S, Z)
mac_final = function("EVP_MAC_final", I, P, P, P, Z)


def pattern(n, seed):
    """Bytes that have no short period."""
    out, x = bytearray(), seed
    for _ in range(n):
        x = (x * 1103515245 + 12345) & 0x7fffffff
        out.append(x >> 16 & 0xff)
    return bytes(out)


TEXT = pattern(max(LENGTHS), 1)


def everything(kind):
    """(name, pointer) of all that the providers have of a kind, once each."""
    found = {}
    name = function(f"EVP_{kind}_get0_name", S, P)
    up_ref = function(f"EVP_{kind}_up_ref", I, P)

    def add(p, _):
        if up_ref(p):
            found.setdefault(name(p).decode(), p)
    do_all = function(f"EVP_{kind}_do_all_provided", None, P, CALLBACK, P)
    do_all(None, CALLBACK(add), None)
    return sorted(found.items())


class Refused(Exception):
    """OpenSSL does not do this length (or this at all)."""


def must(status):
    if status <= 0:
        raise Refused


def one_way(cipher, key, iv, data, encrypt, tag):
    """Encrypt or decrypt; returns output and tag."""
    mode, aead = cipher_mode(cipher), cipher_flags(cipher) & AEAD_FLAG
    ctx = cipher_new()
    out, n, total = ctypes.create_string_buffer(len(data) + 64), c_int(), 0
    try:
        cipher_set_flags(ctx, WRAP_ALLOW)
        must(cipher_init(ctx, cipher, None, None, None, encrypt))
        if aead and mode == CCM_MODE:
            must(cipher_ctrl(ctx, SET_TAG, TAG, None if encrypt else tag))
        elif aead and not encrypt:
            must(cipher_ctrl(ctx, SET_TAG, TAG, tag))
        must(cipher_init(ctx, None, None, key, iv, encrypt))
        if aead and mode == CCM_MODE:
            must(cipher_update(ctx, None, byref(n), None, len(data)))
        if aead:
            must(cipher_update(ctx, None, byref(n), pattern(29, 5), 29))
        must(cipher_update(ctx, out, byref(n), data, len(data)))
        total = n.value
        if not (mode == CCM_MODE and not encrypt):
            must(cipher_final(ctx, byref(out, total), byref(n)))
            total += n.value
        if aead and encrypt:
            tag = ctypes.create_string_buffer(TAG)
            must(cipher_ctrl(ctx, GET_TAG, TAG, tag))
        return out.raw[:total], tag
    finally:
        cipher_free(ctx)


def cipher_answer(name, cipher):
    key = pattern(cipher_key_length(cipher), 2)
    iv = pattern(max(cipher_iv_length(cipher), 16), 3)
    h, done = hashlib.sha256(), 0
    for n in LENGTHS:
        text = TEXT[:n]
        try:
            out, tag = one_way(cipher, key, iv, text, 1, None)
        except Refused:
            h.update(b"refused")
            continue
        try:
            back, _ = one_way(cipher, key, iv, out, 0, tag)
        except Refused:
            return f"does not decrypt {n} bytes of its own"
        if back != text:
            return f"does not give {n} bytes back"
        h.update(out + (tag.raw if tag else b""))
        done += 1
    if name == "DES3-WRAP":  # chooses an IV at random
        return "gives its input back"
    return h.hexdigest()[:32] if done else "refuses all"


def digest_answer(_, md):
    h = hashlib.sha256()
    for n in list(range(150)) + LENGTHS:
        ctx, out = md_new(), ctypes.create_string_buffer(200)
        try:
            must(md_init(ctx, md, None))
            for at in range(0, n, 333):  # in pieces
                must(md_update(ctx, TEXT[at:min(at + 333, n)], min(333, n - at)))
            must(md_final_xof(ctx, out, 200) if md_flags(md) & XOF_FLAG else md_final(ctx, out, None))
            h.update(out.raw)
        except Refused:
            return "refuses"
        finally:
            md_free(ctx)
    return h.hexdigest()[:32]


class Param(ctypes.Structure):
    """OSSL_PARAM."""
    _fields_ = [("key", S), ("type", c_uint), ("data", P), ("size", Z), ("returned", Z)]


TEXT_PARAM, BYTES_PARAM = 4, 5
MACS = {  # length of the key, parameters
    "BLAKE2BMAC": (48, {}), "BLAKE2SMAC": (24, {}), "POLY1305": (32, {}), "SIPHASH": (16, {}),
    "KMAC-128": (32, {}), "KMAC-256": (32, {}), "HMAC": (50, {"digest": b"SHA256"}),
    "CMAC": (16, {"cipher": b"AES-128-CBC"}),
    "GMAC": (16, {"cipher": b"AES-128-GCM", "iv": pattern(12, 3)}),
}


def mac_answer(name, mac):
    size, wanted = MACS[name]
    buffers = {k: ctypes.create_string_buffer(v, len(v)) for k, v in wanted.items()}
    params = (Param * (len(wanted) + 1))()
    for p, (k, v) in zip(params, buffers.items()):
        kind = BYTES_PARAM if k == "iv" else TEXT_PARAM
        p.key, p.type, p.data, p.size = k.encode(), kind, ctypes.addressof(v), len(v)
    h = hashlib.sha256()
    for n in LENGTHS:
        ctx, out, got = mac_new(mac), ctypes.create_string_buffer(200), c_size_t()
        try:
            must(mac_init(ctx, pattern(size, 2), size, params))
            must(mac_update(ctx, TEXT[:n], n))
            must(mac_final(ctx, out, byref(got), 200))
            h.update(out.raw[:got.value])
        except Refused:
            return "refuses"
        finally:
            mac_free(ctx)
    return h.hexdigest()[:32]


def compare(answers, path):
    """Says what differs from the file; returns the exit status."""
    with open(path, encoding="utf-8") as f:
        known = dict(line.rsplit(" | ", 1) for line in f.read().splitlines() if line)
    wrong = [f"{what}: {answers[what]}, should be {known[what]}"
             for what in known if what in answers and answers[what] != known[what]]
    wrong += [f"{what}: not there" for what in known if what not in answers]
    wrong += [f"{what}: {answers[what]}, unknown" for what in answers if what not in known]
    print("\n".join(wrong + [f"ciphers: {len(known) - len(wrong)} of {len(known)} as known"]))
    return 1 if wrong else 0


def main():
    if not load(None, b"default") or not load(None, b"legacy"):
        print("ciphers: no providers")
        return 1
    answers = {}
    for kind, answer in (("CIPHER", cipher_answer), ("MD", digest_answer), ("MAC", mac_answer)):
        # The first are for TLS records only.
        for name, p in [x for x in everything(kind) if "-HMAC-" not in x[0]]:
            answers[f"{kind} {name}"] = answer(name, p)
    if len(sys.argv) == 3 and sys.argv[1] == "--compare":
        return compare(answers, sys.argv[2])
    for what, answer in answers.items():
        print(f"{what} | {answer}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
