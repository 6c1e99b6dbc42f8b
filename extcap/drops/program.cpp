// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/drops/program.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <drops_linear.skel.h>
#include <drops_whole.skel.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <type_traits>
#include <vector>

#include "extcap/drops/event.h"

namespace podshark::drops {
namespace {

// libbpf tells what went wrong in words only. The last warning is kept for the reply; of the verifier's log
// that is its last line.
char g_last_warning[sizeof(Reply::text)];

void keep_line(const char* text) {
  while (*text == ' ' || *text == '\n') ++text;
  // Followed by two of its callers' that say nothing.
  if (*text == '\0' || std::strstr(text, "failed to load object") != nullptr ||
      std::strstr(text, "failed to load BPF skeleton") != nullptr)
    return;
  const std::size_t size = std::min(std::strlen(text), sizeof(g_last_warning) - 1);
  std::memcpy(g_last_warning, text, size);
  g_last_warning[size] = '\0';
}

int keep_warning(libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN) return 0;
  char line[4096];
  const int n = std::vsnprintf(line, sizeof(line), format, arguments);
  keep_line(line);
  return n;
}

template <typename Key>
void erase_where(int map, const auto& mine) {
  std::vector<Key> keys;
  Key at{};
  for (bool more = bpf_map_get_next_key(map, nullptr, &at) == 0; more;) {
    if (mine(at)) keys.push_back(at);
    const Key last = at;
    more = bpf_map_get_next_key(map, &last, &at) == 0;
  }
  for (const Key& k : keys) (void)bpf_map_delete_elem(map, &k);
}

}  // namespace

Program::~Program() {
  close();
}

void Program::close() {
  bpf_link__destroy(link_);
  bpf_object__close(object_);
  link_ = nullptr;
  object_ = nullptr;
}

int Program::map(const char* name) const {
  return bpf_object__find_map_fd_by_name(object_, name);
}
int Program::ring_fd() const {
  return map("ring");
}
int Program::counts_fd() const {
  return map("counts");
}

int Program::load_once(const KernelFacts& facts, const Request& options, bool whole_packets) {
  close();
  std::size_t size = 0;
  const void* bytes = whole_packets ? drops_whole_bpf__elf_bytes(&size) : drops_linear_bpf__elf_bytes(&size);
  object_ = bpf_object__open_mem(bytes, size, nullptr);
  if (object_ == nullptr) return errno;
  // Of both the same, since both come from one source.
  using Constants = std::remove_pointer_t<decltype(drops_linear_bpf::rodata)>;
  Constants set{};
  set.snaplen = options.snaplen;
  set.traced_reason = facts.reason("NETFILTER_DROP");
  set.quiet_reason = options.everything != 0 ? 0 : facts.reason("QUEUE_PURGE");
  set.passed_up_reason = options.everything != 0 ? 0 : facts.reason("OTHERHOST");
  set.conntrack_tuples = facts.conntrack_tuples;
  set.conntrack_stride = facts.conntrack_stride;
  set.conntrack_tuple = facts.conntrack_tuple;
  set.conntrack_status = facts.conntrack_status;
  bpf_map* constants = bpf_object__find_map_by_name(object_, ".rodata");
  if (const int e = bpf_map__set_initial_value(constants, &set, sizeof(set)); e != 0) return -e;
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 0) return -cpus;
  (void)bpf_map__set_max_entries(bpf_object__find_map_by_name(object_, "buffers"),
                                 static_cast<std::uint32_t>(cpus));
  return -bpf_object__load(object_);
}

Reply Program::load(const KernelFacts& facts, const Request& options) {
  Reply reply;
  if (facts.error != 0) {
    reply.stage = Stage::types;
    reply.error = facts.error;
    return reply;
  }
  libbpf_set_print(keep_warning);
  // Kernels before 6.12 have no function for it, or do not let a tracing program call it.
  bool whole = true;
  int error = load_once(facts, options, whole);
  if (error != 0 && error != EPERM) error = load_once(facts, options, whole = false);
  if (error == 0) {
    link_ = bpf_program__attach(bpf_object__find_program_by_name(object_, "on_drop"));
    error = link_ == nullptr ? errno : 0;
    reply.stage = Stage::attach;
  } else {
    reply.stage = error == EPERM ? Stage::privilege : Stage::load;
  }
  reply.error = error;
  if (error == 0) {
    reply.stage = Stage::done;
    reply.whole_packets = whole ? 1 : 0;
    reply.connections = facts.conntrack_tuples != 0 ? 1 : 0;
  } else {
    std::memcpy(reply.text, g_last_warning, sizeof(reply.text));
  }
  return reply;
}

void Program::forget(std::uint32_t tag) {
  const int places = map("places");
  const int addresses = map("addresses");
  const int ports = map("ports");
  erase_where<std::uint64_t>(places, [&](const std::uint64_t& key) {
    podshark_drop_place place{};
    return bpf_map_lookup_elem(places, &key, &place) == 0 && place.tag == tag;
  });
  erase_where<podshark_drop_address_key>(addresses, [&](const podshark_drop_address_key& key) {
    podshark_drop_address address{};
    return bpf_map_lookup_elem(addresses, &key, &address) == 0 && address.tag == tag && address.local == 0;
  });
  erase_where<podshark_drop_port_key>(ports, [&](const podshark_drop_port_key& key) {
    std::uint32_t owner = 0;
    return bpf_map_lookup_elem(ports, &key, &owner) == 0 && owner == tag;
  });
}

int Program::apply(const Request& r, std::uint64_t netns) {
  if (r.operation == Operation::forget) {
    forget(r.tag);
    return 0;
  }
  const bool needs_tag = r.operation != Operation::local_address;
  if (needs_tag && (r.tag == 0 || r.tag >= PODSHARK_DROP_TAGS)) return EINVAL;
  podshark_drop_place place{};
  if (r.operation == Operation::watch_netns) {
    place.tag = r.tag;
    return -bpf_map_update_elem(map("places"), &netns, &place, BPF_ANY);
  }
  // Where only some packets count the namespace as a whole is nobody's, unless somebody has it already.
  if (const int e = -bpf_map_update_elem(map("places"), &netns, &place, BPF_NOEXIST); e != 0 && e != EEXIST) {
    return e;
  }
  if (r.operation == Operation::watch_port) {
    podshark_drop_port_key key{};
    key.netns = netns;
    key.port = htons(r.port);
    key.protocol = r.protocol;
    return -bpf_map_update_elem(map("ports"), &key, &r.tag, BPF_ANY);
  }
  podshark_drop_address_key key{};
  key.netns = netns;
  std::memcpy(key.address, r.address, sizeof(key.address));
  podshark_drop_address address{};
  address.tag = r.operation == Operation::watch_address ? r.tag : 0;
  address.local = r.operation == Operation::local_address ? 1 : 0;
  return -bpf_map_update_elem(map("addresses"), &key, &address, BPF_ANY);
}

}  // namespace podshark::drops
