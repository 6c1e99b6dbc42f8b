/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs whenever the kernel frees a packet that it could not deliver. Whose packet it is decides first, because most are
   nobody's: a container's namespace is watched whole; in the host's namespace a packet counts when an address of a
   container is in it or in its conntrack entry, or when it goes to a published port of the host.

   What is sent to user space is put together in a buffer of the CPU (there is no nesting: the kernel does not run the
   program inside itself), headers first, then the rest of the packet as far as the kernel lets us read it.

   Compiled twice: with PODSHARK_WHOLE_PACKETS for kernels that let a tracing program read the paged part of a packet (Linux
   6.12). The function for that can not be a weak symbol of one program: where the kernel has none, libbpf 1.1 looks for it in
   modules, which needs CAP_SYS_ADMIN, and gives up without. */
#include "extcap/drops/event.h"
#include "extcap/drops/kernel_types.h"

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define ETH_IPV4 0x0800
#define ETH_IPV6 0x86dd
#define ETH_ARP 0x0806
#define FAMILY_IPV4 2
#define FAMILY_IPV6 10
#define WAKE_BYTES 65536         /* waiting: the reader is woken whatever the time */
#define WAKE_PAUSE_NS 5000000ULL /* else not more often than this: it looks again by itself for longer */

char LICENSE[] SEC("license") = "GPL";

/* Set before loading. */
const volatile __u32 snaplen = PODSHARK_DROP_DATA;
const volatile __u32 traced_reason = 0;      /* its events have frames: NETFILTER_DROP */
const volatile __u32 quiet_reason = 0;       /* never sent: QUEUE_PURGE, unless everything is asked for */
const volatile __u32 passed_up_reason = 0;   /* OTHERHOST: not where only some packets count, unless everything is asked for */
const volatile __u32 conntrack_tuples = 0;   /* offset of nf_conn's tuplehash, 0: no conntrack */
const volatile __u32 conntrack_stride = 0;   /* from one tuplehash to the other */
const volatile __u32 conntrack_tuple = 0;    /* of the tuple in it */
const volatile __u32 conntrack_status = 0;

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, PODSHARK_DROP_RING);
} ring SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, PODSHARK_DROP_TAGS);
  __uint(map_flags, BPF_F_MMAPABLE);
  __type(key, __u32);
  __type(value, struct podshark_drop_count);
} counts SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, PODSHARK_DROP_TAGS);
  __type(key, __u64);
  __type(value, struct podshark_drop_place);
} places SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 8 * PODSHARK_DROP_TAGS);
  __type(key, struct podshark_drop_address_key);
  __type(value, struct podshark_drop_address);
} addresses SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 8 * PODSHARK_DROP_TAGS);
  __type(key, struct podshark_drop_port_key);
  __type(value, __u32);
} ports SEC(".maps");

/* Addresses of code whose names have been sent, and the numbers that stand for them. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 8192);
  __type(key, __u64);
  __type(value, __u32);
} named SEC(".maps");

struct buffer {
  struct podshark_drop_event event;
  __u8 bytes[PODSHARK_DROP_PULLED + PODSHARK_DROP_DATA];
};
/* Not a per-CPU map: their values may not be that large. One for each possible CPU, set before loading. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct buffer);
} buffers SEC(".maps");

__u64 last_wake_ns = 0; /* a lost update wakes once too often */
__u32 last_function = 0;

#if PODSHARK_WHOLE_PACKETS
extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *out) __ksym;
#endif

struct ip {
  __u8 src[16];
  __u8 dst[16];
  __u16 src_port; /* network order; 0 without */
  __u16 dst_port;
  __u8 protocol;
};

static __always_inline __u64 cookie_of(struct net *net) {
  if (bpf_core_field_exists(net->net_cookie)) return net->net_cookie;
  return net->ns.ns_id;
}

/* dev is not always a device: sockets keep other things there. Reads of what is no memory give 0. */
static __always_inline struct net *net_of_device(struct net_device *dev) {
  return dev ? dev->nd_net.net : 0;
}

static __always_inline int tuple_address(const void *at, __u16 family, __u8 *out) {
  return bpf_probe_read_kernel(out, family == FAMILY_IPV4 ? 4 : 16, at);
}

/* struct nf_conntrack_tuple: source address (16 bytes), port, family; destination address, port, protocol. */
static __always_inline void read_tuple(const void *at, struct podshark_drop_tuple *out) {
  bpf_probe_read_kernel(&out->src_port, 2, at + 16);
  bpf_probe_read_kernel(&out->family, 2, at + 18);
  bpf_probe_read_kernel(&out->dst_port, 2, at + 36);
  bpf_probe_read_kernel(&out->protocol, 1, at + 38);
  tuple_address(at, out->family, out->src);
  tuple_address(at + 20, out->family, out->dst);
  out->known = 1;
}

static __always_inline __u32 tag_of_address(__u64 netns, const __u8 *address, int *local) {
  struct podshark_drop_address_key key = {.netns = netns};
  __builtin_memcpy(key.address, address, 16);
  struct podshark_drop_address *found = bpf_map_lookup_elem(&addresses, &key);
  if (!found) return 0;
  if (local) *local = found->local;
  return found->tag;
}

static __always_inline __u32 tag_of_port(__u64 netns, __u8 protocol, __u16 port) {
  struct podshark_drop_port_key key = {.netns = netns, .port = port, .protocol = protocol};
  __u32 *tag = bpf_map_lookup_elem(&ports, &key);
  return tag ? *tag : 0;
}

/* The addresses of an IPv4, IPv6 or ARP packet; 0: it is none of these. Ports where they follow the usual header. */
static __always_inline int read_addresses(const void *at, __u16 protocol, struct ip *out) {
  __u8 head[40];
  if (bpf_probe_read_kernel(head, sizeof(head), at)) return 0;
  __builtin_memset(out, 0, sizeof(*out));
  if (protocol == ETH_ARP) {
    __builtin_memcpy(out->src, head + 14, 4);
    __builtin_memcpy(out->dst, head + 24, 4);
    return head[4] == 6 && head[5] == 4;
  }
  __u32 header = 40;
  if (head[0] >> 4 == 4) {
    __builtin_memcpy(out->src, head + 12, 4);
    __builtin_memcpy(out->dst, head + 16, 4);
    out->protocol = head[9];
    header = (head[0] & 15) * 4;
    if ((head[6] & 0x1f) || head[7]) return 1; /* a later fragment has no ports */
  } else if (head[0] >> 4 == 6) {
    __builtin_memcpy(out->src, head + 8, 16);
    __builtin_memcpy(out->dst, head + 24, 16);
    out->protocol = head[6];
  } else {
    return 0;
  }
  bpf_probe_read_kernel(&out->src_port, 4, at + header);
  return 1;
}

static __always_inline __u32 tag_of_packet(__u64 netns, const void *at, __u16 protocol) {
  struct ip ip;
  int local_src = 0, local_dst = 0;
  if (!read_addresses(at, protocol, &ip)) return 0;
  __u32 tag = tag_of_address(netns, ip.src, &local_src);
  if (!tag) tag = tag_of_address(netns, ip.dst, &local_dst);
  if (!tag && local_dst) tag = tag_of_port(netns, ip.protocol, ip.dst_port);
  if (!tag && local_src) tag = tag_of_port(netns, ip.protocol, ip.src_port);
  return tag;
}

/* The connection knows addresses that translation has taken out of the packet. */
static __always_inline __u32 tag_of_connection(__u64 netns, const void *hashes) {
  struct podshark_drop_tuple t = {};
  for (int i = 0; i < 2; ++i) {
    read_tuple(hashes + i * conntrack_stride + conntrack_tuple, &t);
    __u32 tag = tag_of_address(netns, t.src, 0);
    if (!tag) tag = tag_of_address(netns, t.dst, 0);
    if (tag) return tag;
  }
  return 0;
}

/* The number for an address. Not the address: who reads the ring need not learn where the kernel lies in memory. %ps needs
   no privilege that the program lacks. 0: there was no room for the name, next time perhaps. */
static __always_inline __u32 function_at(__u64 address) {
  if (!address) return 0;
  __u32 *known = bpf_map_lookup_elem(&named, &address);
  if (known) return *known;
  struct podshark_drop_symbol *s = bpf_ringbuf_reserve(&ring, sizeof(*s), 0);
  if (!s) return 0;
  __u32 number = __sync_fetch_and_add(&last_function, 1) + 1;
  s->kind = PODSHARK_DROP_SYMBOL;
  s->function = number;
  bpf_snprintf(s->name, sizeof(s->name), "%ps", &address, sizeof(address));
  bpf_ringbuf_submit(s, BPF_RB_NO_WAKEUP);
  bpf_map_update_elem(&named, &address, &number, BPF_ANY);
  return number;
}

/* What was called on the way to the location. */
static __always_inline void read_frames(void *ctx, __u64 location, struct podshark_drop_event *event) {
  __u64 stack[20] = {};
  bpf_get_stack(ctx, stack, sizeof(stack), 0);
  int at = -1;
  for (int i = 0; i < 12; ++i) {
    if (at < 0 && stack[i] == location) at = i;
  }
  for (int i = 0; i < PODSHARK_DROP_FRAMES; ++i) {
    __u64 frame = 0;
    /* A variable index into the stack is what the verifier likes least. */
    for (int k = 0; k < 12; ++k) {
      if (k == at) frame = stack[k + 1 + i > 19 ? 19 : k + 1 + i];
    }
    event->frames[i] = function_at(frame);
  }
}

static __always_inline __u64 flags_now(__u64 now) {
  if (bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) < WAKE_BYTES && now - last_wake_ns < WAKE_PAUSE_NS)
    return BPF_RB_NO_WAKEUP;
  last_wake_ns = now;
  return BPF_RB_FORCE_WAKEUP;
}

SEC("tp_btf/kfree_skb")
int on_drop(unsigned long long *ctx) {
  struct sk_buff *skb = (struct sk_buff *)ctx[0];
  __u32 reason = bpf_core_field_exists(struct trace_event_raw_kfree_skb, reason) ? (__u32)ctx[2] : 0;
  if (quiet_reason && reason == quiet_reason) return 0;

  struct net_device *dev = skb->dev;
  struct net *net = net_of_device(dev);
  __u64 netns = net ? cookie_of(net) : 0;
  if (!netns && bpf_core_field_exists(struct trace_event_raw_kfree_skb, rx_sk)) {
    struct sock *sk = (struct sock *)ctx[3];
    if (sk) net = sk->__sk_common.skc_net.net;
    if (net) netns = cookie_of(net);
  }
  if (!netns) {
    struct sock *sk = skb->sk;
    if (sk) net = sk->__sk_common.skc_net.net;
    if (net) netns = cookie_of(net);
  }
  __u32 inode = net ? net->ns.inum : 0;
  __u32 ifindex = dev ? dev->ifindex : 0;
  if (!netns) {
    struct dst_entry *dst = (struct dst_entry *)(skb->_skb_refdst & ~7UL);
    struct net *routed = 0;
    if (!dst) return 0;
    dev = BPF_CORE_READ(dst, dev);
    routed = BPF_CORE_READ(dev, nd_net.net);
    if (!routed) return 0;
    if (bpf_core_field_exists(routed->net_cookie))
      netns = BPF_CORE_READ(routed, net_cookie);
    else
      netns = BPF_CORE_READ(routed, ns.ns_id);
    inode = BPF_CORE_READ(routed, ns.inum);
    ifindex = 0;
  }
  struct podshark_drop_place *place = bpf_map_lookup_elem(&places, &netns);
  if (!place) return 0;
  /* A bridge that somebody watches in promiscuous mode, as captures do, hands up copies of all that it forwards. */
  if (passed_up_reason && reason == passed_up_reason && !place->tag) return 0;

  unsigned char *head = skb->head;
  __u32 off = skb->data - head;
  __u32 mac = skb->mac_header;
  __u32 nh = skb->network_header;
  __u32 start = off, link_layer = 0;
  if (mac != 0xffff && mac < nh && nh - mac <= 64 && mac <= off) {
    start = mac;
    link_layer = nh - mac;
  } else if (nh > 0 && nh <= off) {
    start = nh;
  } else if (nh > off && nh < off + 64) {
    link_layer = nh - off;
  }
  __u16 protocol = bpf_ntohs(skb->protocol);
  const void *connection = (const void *)(skb->_nfct & ~7UL);
  if (!conntrack_tuples) connection = 0;
  const void *tuples = connection ? connection + conntrack_tuples : 0;

  __u32 tag = place->tag;
  if (!tag) tag = tag_of_packet(netns, head + start + link_layer, protocol);
  if (!tag && tuples) tag = tag_of_connection(netns, tuples);
  if (!tag || tag >= PODSHARK_DROP_TAGS) return 0;
  struct podshark_drop_count *count = bpf_map_lookup_elem(&counts, &tag);
  __u32 cpu = bpf_get_smp_processor_id();
  struct buffer *out = bpf_map_lookup_elem(&buffers, &cpu);
  if (!out || !count) return 0;

  struct podshark_drop_event *event = &out->event;
  event->kind = PODSHARK_DROP_PACKET;
  event->tag = tag;
  event->time_ns = bpf_ktime_get_ns();
  event->netns = inode;
  event->ifindex = ifindex;
  event->reason = reason;
  event->link_layer = link_layer;
  event->protocol = protocol;
  event->segments = 0;
  event->padding = 0;
  struct skb_shared_info *shared = (struct skb_shared_info *)(head + skb->end);
  bpf_core_read(&event->segments, sizeof(event->segments), &shared->gso_segs);
  __builtin_memset(&event->original, 0, sizeof(event->original));
  event->status = 0;
  if (tuples) {
    read_tuple(tuples + conntrack_tuple, &event->original);
    bpf_probe_read_kernel(&event->status, 4, connection + conntrack_status);
  }
  event->function = function_at(ctx[1]);
  __builtin_memset(event->frames, 0, sizeof(event->frames));
  if (traced_reason && reason == traced_reason) read_frames(ctx, ctx[1], event);

  __u32 length = skb->len;
  __u32 linear = length - skb->data_len;
  __u32 pulled = off - start;
  if (pulled > PODSHARK_DROP_PULLED - 1) pulled = PODSHARK_DROP_PULLED - 1;
  event->length = length + pulled;
  __u32 most = snaplen > pulled ? snaplen - pulled : 0;
  if (pulled > snaplen) pulled = snaplen;
  asm volatile("%0 &= 0xff" : "+r"(pulled));
  if (bpf_probe_read_kernel(out->bytes, pulled, head + start)) pulled = 0;
  asm volatile("%0 &= 0xff" : "+r"(pulled));
  __u8 *to = out->bytes + pulled;
  __u32 wanted = length < most ? length : most;
  if (wanted > PODSHARK_DROP_DATA - 1) wanted = PODSHARK_DROP_DATA - 1;
  __u32 got = wanted < linear ? wanted : linear;
  int whole = 0;
#if PODSHARK_WHOLE_PACKETS
  if (wanted > linear) {
    struct bpf_dynptr packet;
    __u32 all = wanted;
    asm volatile("%0 &= 0xffff" : "+r"(all));
    if (!bpf_dynptr_from_skb((struct __sk_buff *)skb, 0, &packet) && !bpf_dynptr_read(to, all, &packet, 0, 0)) {
      got = all;
      whole = 1;
    }
  }
#endif
  if (!whole) {
    asm volatile("%0 &= 0xffff" : "+r"(got));
    if (bpf_probe_read_kernel(to, got, skb->data)) got = 0;
  }
  event->captured = pulled + got;
  __u32 size = sizeof(*event) + pulled + got;
  if (size > sizeof(*out)) return 0;
  if (bpf_ringbuf_output(&ring, out, size, flags_now(event->time_ns)))
    __sync_fetch_and_add(&count->lost, 1);
  else
    __sync_fetch_and_add(&count->sent, 1);
  return 0;
}
