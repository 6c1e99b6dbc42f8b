/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the BPF program puts into its ring buffer, and the keys of its maps. C, for both compilers; in the
   byte order of the machine unless said otherwise. */
#pragma once

#include <linux/types.h>

#define PODSHARK_DROP_PACKET 1U
#define PODSHARK_DROP_SYMBOL 2U
#define PODSHARK_DROP_FRAMES 8
#define PODSHARK_DROP_TAGS 1024 /* 0 is nobody's */
#define PODSHARK_DROP_RING (4U << 20U)
#define PODSHARK_DROP_PULLED 256U /* most bytes of headers before skb->data */
#define PODSHARK_DROP_DATA 65536U /* most bytes from there on */
#define PODSHARK_DROP_SYMBOL_SIZE 64

/* A conntrack tuple in the original direction; IPv4 addresses are the first four bytes, ports in network
 * order. */
struct podshark_drop_tuple {
  __u8 src[16];
  __u8 dst[16];
  __u16 src_port;
  __u16 dst_port;
  __u16 family; /* AF_INET, AF_INET6 */
  __u8 protocol;
  __u8 known;
};

/* Followed by `captured` bytes of the packet. */
struct podshark_drop_event {
  __u32 kind;
  __u32 tag;      /* whose it is, as its watch was told */
  __u64 time_ns;  /* CLOCK_MONOTONIC */
  __u32 function; /* that gave the packet up: a number, see podshark_drop_symbol; 0: not known */
  __u32 frames[PODSHARK_DROP_FRAMES]; /* its callers, innermost first; only of some reasons */
  __u32 netns;                        /* inode */
  __u32 ifindex;
  __u32 reason;
  __u32 length; /* of the packet */
  __u32 captured;
  __u16 link_layer; /* bytes of its link layer header, 0: begins with IP */
  __u16 protocol;   /* Ethertype */
  __u16 segments;   /* of a GSO packet, else 0 */
  __u16 padding;
  struct podshark_drop_tuple original;
  __u32 status; /* of the conntrack entry: IPS_* */
};

/* The name of a function; precedes the first event that has its number. */
struct podshark_drop_symbol {
  __u32 kind;
  __u32 function;
  char name[PODSHARK_DROP_SYMBOL_SIZE];
};

/* By tag: what its events' interface must count. */
struct podshark_drop_count {
  __u64 sent;
  __u64 lost;
};

/* Of a namespace: 0, or whose all of its packets are. */
struct podshark_drop_place {
  __u32 tag;
};

struct podshark_drop_address_key {
  __u64 netns; /* SO_NETNS_COOKIE */
  __u8 address[16];
};
struct podshark_drop_address {
  __u32 tag;   /* 0: nobody's */
  __u32 local; /* of the namespace itself: published ports count here */
};

struct podshark_drop_port_key {
  __u64 netns;
  __u16 port; /* network order */
  __u8 protocol;
  __u8 zero[5];
};
