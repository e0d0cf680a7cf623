"""Signed bodies, and the frames that carry them: a body is made once and sent as it is.

The same bytes go into a post and into a REST request: only the copy that a nonce was signed for
can be sent again, so what was signed is kept, never made anew.
"""

from crosswire.venues.hyperliquid.encode.actions import Action
from crosswire.venues.hyperliquid.signing import Signer


def signed(action: Action, signer: Signer, nonce: int, expires_after_ms: int = 0) -> bytes:
    """Return the body of an /exchange request; 0 = it never expires."""
    signature = signer.sign_packed(action.packed, nonce, expires_after_ms)
    digits = signature.hex()
    vault = f'"{signer.vault}"' if signer.vault else "null"
    return (
        f'{{"action":{action.text},"nonce":{nonce},"signature":{{"r":"0x{digits[:64]}",'
        f'"s":"0x{digits[64:128]}","v":{27 + signature[64]}}},"vaultAddress":{vault},'
        f'"expiresAfter":{expires_after_ms or "null"}}}'
    ).encode()


def post_action(request_id: int, body: bytes) -> bytes:
    """Return the frame that posts a signed body."""
    return b'{"method":"post","id":%d,"request":{"type":"action","payload":%b}}' % (
        request_id,
        body,
    )


def post_info(request_id: int, body: bytes) -> bytes:
    """Return the frame that posts a question."""
    return b'{"method":"post","id":%d,"request":{"type":"info","payload":%b}}' % (
        request_id,
        body,
    )


PING = b'{"method":"ping"}'


def subscribe(subscription: bytes, *, is_on: bool = True) -> bytes:
    """Return the frame that asks for a channel, or no longer for it; see `subscriptions`."""
    method = b"subscribe" if is_on else b"unsubscribe"
    return b'{"method":"%b","subscription":%b}' % (method, subscription)
