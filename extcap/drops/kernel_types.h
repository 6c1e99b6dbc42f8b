/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fields of the kernel's structs that drops.bpf.c reads. Where they are in the running kernel is found
   out when the program is loaded (CO-RE), so nothing else of these structs matters here. */
#pragma once

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
  unsigned int inum;
  __u64 ns_id;
};

struct net {
  __u64 net_cookie;
  struct ns_common ns;
};

typedef struct {
  struct net* net;
} possible_net_t;

struct net_device {
  int ifindex;
  possible_net_t nd_net;
};

struct sock_common {
  possible_net_t skc_net;
};

struct sock {
  struct sock_common __sk_common;
};

struct dst_entry {
  struct net_device* dev;
};

struct skb_shared_info {
  unsigned short gso_segs;
};

struct sk_buff {
  struct net_device* dev;
  struct sock* sk;
  unsigned long _skb_refdst;
  unsigned long _nfct;
  unsigned int len;
  unsigned int data_len;
  __be16 protocol;
  __u16 network_header;
  __u16 mac_header;
  unsigned int end;
  unsigned char* head;
  unsigned char* data;
};

enum skb_drop_reason { PODSHARK_ANY_REASON = 0 };

/* Which arguments the tracepoint has: reason from 5.17 on, rx_sk from 6.11 on. */
struct trace_event_raw_kfree_skb {
  void* rx_sk;
  enum skb_drop_reason reason;
};

#pragma clang attribute pop
