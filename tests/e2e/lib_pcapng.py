# SPDX-License-Identifier: GPL-2.0-or-later
"""A small complete pcapng reader: what is in the file, nothing judged. Podshark's contract is docs/FORMAT.md."""

import dataclasses
import ipaddress
import json
import pathlib
import struct

ENTERPRISE = 32473
EVENTS_LINKTYPE = 252
SHB, IDB, SPB, NRB, ISB, EPB = 0x0A0D0D0A, 1, 3, 4, 5, 6


class Malformed(Exception):
    """The bytes are not pcapng; says where."""


@dataclasses.dataclass
class Block:
    type: int
    offset: int
    length: int
    options: dict  # code → list of values (bytes); custom options 2988/2989 keep their enterprise number

    def text(self, code, default=""):
        return self.options[code][0].decode() if code in self.options else default

    def number(self, code, default=None):
        return int.from_bytes(self.options[code][0], self.order) if code in self.options else default

    order = "little"

    @property
    def comments(self):
        return [v.decode() for v in self.options.get(1, [])]

    @property
    def custom(self):
        """JSON objects of our own options 2989."""
        values = self.options.get(2989, [])
        ours = [v[4:] for v in values if int.from_bytes(v[:4], self.order) == ENTERPRISE]
        return [json.loads(v) for v in ours]


@dataclasses.dataclass
class Interface(Block):
    linktype: int = 0
    snaplen: int = 0
    units: int = 10**6  # timestamp units per second
    number_: int = 0

    @property
    def name(self):
        return self.text(2)

    @property
    def description(self):
        return self.text(3)

    @property
    def keys(self):
        """if_description as a dict."""
        return dict(w.split("=", 1) for w in self.description.split() if "=" in w)

    @property
    def filter(self):
        return self.text(11)[1:]  # first byte: 0 = libpcap syntax

    @property
    def meta(self):
        return self.custom[0] if self.custom else {}


@dataclasses.dataclass
class Packet(Block):
    interface: Interface = None
    time_ns: int = 0
    data: bytes = b""
    original_length: int = 0


@dataclasses.dataclass
class Names(Block):
    records: dict = dataclasses.field(default_factory=dict)  # address → list of names


@dataclasses.dataclass
class Statistics(Block):
    interface: Interface = None
    received: int = None
    dropped: int = None


@dataclasses.dataclass
class Capture:
    blocks: list
    interfaces: list
    truncated: bool = False  # the last block is incomplete (only with partial=True)

    def all(self, kind):
        return [b for b in self.blocks if isinstance(b, kind)]

    @property
    def packets(self):
        """Packets of links; events are apart."""
        return [p for p in self.all(Packet) if p.interface.linktype != EVENTS_LINKTYPE]

    def packets_of(self, name):
        return [p for p in self.packets if p.interface.name == name]

    @property
    def events(self):
        return [event(p) for p in self.all(Packet) if p.interface.linktype == EVENTS_LINKTYPE]

    def events_of(self, kind):
        return [e for e in self.events if e["kind"] == kind]

    @property
    def links(self):
        return [i for i in self.interfaces if i.linktype != EVENTS_LINKTYPE]

    @property
    def names(self):
        merged = {}
        for block in self.all(Names):
            for address, names in block.records.items():
                merged.setdefault(address, []).extend(n for n in names if n not in merged.get(address, []))
        return merged


def event(packet):
    """The JSON of an event record; its Upper PDU tags are under '_tags' (number → text), its stamp '_time_ns'."""
    tags, at = {}, 0
    while True:
        tag, length = struct.unpack_from(">HH", packet.data, at)
        at += 4
        if tag == 0:
            break
        tags[tag] = packet.data[at:at + length].rstrip(b"\0").decode()
        at += length + (-length % 4)
    if tags.get(12) != "json":
        raise Malformed(f"event at {packet.offset}: dissector tag is {tags.get(12)!r}")
    record = json.loads(packet.data[at:])
    record["_tags"], record["_time_ns"] = tags, packet.time_ns
    return record


def read(source, partial=False):
    """source: path or bytes. partial=True: a file still being written, or cut off, is read as far as it goes."""
    data = source if isinstance(source, bytes) else pathlib.Path(source).read_bytes()
    capture, at, order, interfaces = Capture([], []), 0, "little", []
    while at < len(data):
        if len(data) - at < 12 or at + int.from_bytes(data[at + 4:at + 8], order) > len(data):
            if partial:
                capture.truncated = True
                break
            raise Malformed(f"block at {at} is cut off")
        kind = int.from_bytes(data[at:at + 4], order)
        if kind == SHB:
            order = {b"\x4d\x3c\x2b\x1a": "little", b"\x1a\x2b\x3c\x4d": "big"}.get(data[at + 8:at + 12])
            interfaces = []
            if order is None:
                raise Malformed(f"section at {at}: bad byte-order magic")
        length = int.from_bytes(data[at + 4:at + 8], order)
        if length < 12 or length % 4 or data[at + 4:at + 8] != data[at + length - 4:at + length]:
            raise Malformed(f"block at {at}: bad length {length}")
        block = _block(kind, at, data[at + 8:at + length - 4], order, interfaces)
        block.length, block.order = length, order
        if isinstance(block, Interface):
            interfaces.append(block)
            capture.interfaces.append(block)
        capture.blocks.append(block)
        at += length
    if not capture.blocks or capture.blocks[0].type != SHB:
        raise Malformed("does not begin with a section header")
    return capture


def frames(data, first=1):
    """Packet data of all EPBs, without building objects: a million of them. Interface 0 is the events'; in a file of
    somebody else first=0 takes its packets too."""
    at, end = 0, len(data)
    view = memoryview(data)
    while at + 12 <= end:
        kind = int.from_bytes(view[at:at + 4], "little")
        length = int.from_bytes(view[at + 4:at + 8], "little")
        if kind == 6 and int.from_bytes(view[at + 8:at + 12], "little") >= first:
            size = int.from_bytes(view[at + 20:at + 24], "little")
            yield bytes(view[at + 28:at + 28 + size])
        at += length


def _block(kind, at, body, order, interfaces):
    sign = "<" if order == "little" else ">"
    if kind == SHB:
        return Block(kind, at, 0, _options(body[16:], order))
    if kind == IDB:
        linktype, _, snaplen = struct.unpack_from(sign + "HHI", body)
        options = _options(body[8:], order)
        raw = options.get(9, [b"\x06"])[0][0]
        units = 2 ** (raw & 0x7F) if raw & 0x80 else 10 ** raw
        return Interface(kind, at, 0, options, linktype, snaplen, units, len(interfaces))
    if kind == EPB:
        number, high, low, length, original = struct.unpack_from(sign + "5I", body)
        if number >= len(interfaces):
            raise Malformed(f"packet at {at}: no interface {number}")
        if 20 + length > len(body):
            raise Malformed(f"packet at {at}: {length} bytes do not fit")
        interface = interfaces[number]
        stamp = ((high << 32) | low) * 10**9 // interface.units
        options = _options(body[20 + length + (-length % 4):], order)
        return Packet(kind, at, 0, options, interface, stamp, body[20:20 + length], original)
    if kind == NRB:
        return _names(kind, at, body, order)
    if kind == ISB:
        number, _, _ = struct.unpack_from(sign + "3I", body)
        block = Statistics(kind, at, 0, _options(body[12:], order), interfaces[number])
        block.order = order
        block.received, block.dropped = block.number(4), block.number(5)
        return block
    return Block(kind, at, 0, {})


def _names(kind, at, body, order):
    records, pos = {}, 0
    while True:
        tag = int.from_bytes(body[pos:pos + 2], order)
        length = int.from_bytes(body[pos + 2:pos + 4], order)
        value = body[pos + 4:pos + 4 + length]
        pos += 4 + length + (-length % 4)
        if tag == 0:
            break
        width = {1: 4, 2: 16}.get(tag)
        if width:
            address = str(ipaddress.ip_address(value[:width]))
            names = [n.decode() for n in value[width:].split(b"\0") if n]
            records.setdefault(address, []).extend(names)
    return Names(kind, at, 0, _options(body[pos:], order), records)


def _options(data, order):
    options, at = {}, 0
    while at + 4 <= len(data):
        code = int.from_bytes(data[at:at + 2], order)
        length = int.from_bytes(data[at + 2:at + 4], order)
        if code == 0:
            break
        if at + 4 + length > len(data):
            raise Malformed(f"option {code} does not fit")
        options.setdefault(code, []).append(data[at + 4:at + 4 + length])
        at += 4 + length + (-length % 4)
    return options
