// SPDX-License-Identifier: GPL-2.0-or-later
// The BPF program of drops.bpf.c in the kernel, for as long as this process lives.
#pragma once

#include <cstdint>
#include <string>

#include "extcap/drops/kernel_facts.h"
#include "extcap/drops/protocol.h"

struct bpf_link;
struct bpf_object;

namespace podshark::drops {

class Program {
 public:
  Program() = default;
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// Loads and attaches it: the only step that needs CAP_BPF and CAP_PERFMON. The reply says how it went.
  [[nodiscard]] Reply load(const KernelFacts& facts, const Request& options);
  [[nodiscard]] int ring_fd() const;
  [[nodiscard]] int counts_fd() const;
  /// A watching request of the namespace with this cookie, or `forget`. 0 or an errno.
  [[nodiscard]] int apply(const Request& request, std::uint64_t netns_cookie);

 private:
  [[nodiscard]] int load_once(const KernelFacts& facts, const Request& options, bool whole_packets);
  void forget(std::uint32_t tag);
  [[nodiscard]] int map(const char* name) const;
  void close();
  ::bpf_object* object_ = nullptr;
  ::bpf_link* link_ = nullptr;
};

}  // namespace podshark::drops
