// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <net/if.h>

#include <cstddef>
#include <cstdint>

#include "extcap/agent/arguments.h"
#include "extcap/agent/links.h"
#include "extcap/agent/opener.h"
#include "extcap/agent/output.h"
#include "podman/core/fd.h"
#include "podman/wire/ring.h"

namespace podshark::agent {

/// The rings of all captured links, and their blocks in the output. Both arguments must outlive it. Slots are
/// numbered from 0 to count(); one whose link is gone is used again, its pcapng interface is not.
class Rings {
 public:
  static constexpr std::size_t kMost = 1024;              ///< of all targets
  static constexpr std::uint32_t kMostInterfaces = 4096;  ///< those of links that have gone included
  static constexpr std::uint32_t kRetireMs = 20;
  static constexpr int kLastBlocksMs = 45;  ///< after this the kernel has handed over what came before

  Rings(const CaptureArguments& arguments, Output& output) : arguments_(arguments), output_(output) {}
  Rings(const Rings&) = delete;
  Rings& operator=(const Rings&) = delete;
  ~Rings();

  /// Once, first. False: out of memory.
  [[nodiscard]] bool allocate();

  /// Captures those of `links` that are wanted and are not captured yet, as far as there is memory for rings.
  [[nodiscard]] Failure attach(std::size_t target, Opener& opener, const LinkList& links);
  struct Limits {
    std::size_t packets = SIZE_MAX;
    std::size_t backlog = SIZE_MAX;  ///< bytes in the output
    std::uint64_t until_ns = UINT64_MAX;
  };
  /// Reads out and closes the rings of links that are not there any more, or all of that target.
  void close_others(std::size_t target, const LinkList& links);
  void close_target(std::size_t target);
  /// One of them, within these limits: none when it is read out already.
  void close(std::size_t slot, Limits limits);

  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] bool is_open(std::size_t slot) const { return slots_[slot].open; }
  /// To be polled for POLLIN; -1 when it is not open. After POLLERR: clear_error.
  [[nodiscard]] int fd(std::size_t slot) const { return slots_[slot].open ? slots_[slot].ring.fd : -1; }
  void clear_error(std::size_t slot) { wire::clear_error(&slots_[slot].ring); }

  /// Packets from a ring to the output, which is flushed now and then. One that is later than `until_ns` is
  /// the last to be looked at, and lost: what follows it must not be taken.
  void take(std::size_t slot, Limits limits);
  /// Figures of all open rings.
  void put_statistics();

  /// kDone, or why blocks could not be written; then nothing more can.
  [[nodiscard]] ExitCode failed() const { return failed_; }

 private:
  struct Slot {
    wire::Ring ring;
    std::size_t target = 0;
    char name[IFNAMSIZ] = {};
    std::uint32_t id = 0;
    std::uint64_t start_ns = 0;
    bool open = false;
  };

  [[nodiscard]] bool wanted(const Link& link) const;
  [[nodiscard]] const Slot* find(std::size_t target, const Link& link) const;
  [[nodiscard]] Slot* free_slot();
  [[nodiscard]] std::size_t fresh_links(std::size_t target, const LinkList& links) const;
  [[nodiscard]] std::size_t open_rings(std::size_t target) const;
  [[nodiscard]] std::uint64_t total() const;
  [[nodiscard]] std::uint64_t left() const;
  [[nodiscard]] std::uint64_t ring_bytes(std::size_t have, std::size_t fresh) const;
  [[nodiscard]] wire::RingOptions options_for(const Link& link, const wire::LinkEncoding& encoding) const;
  [[nodiscard]] Failure attach_some(std::size_t target, Opener& opener, const Link* const* links,
                                    std::size_t count, std::uint64_t bytes);
  [[nodiscard]] Failure attach_one(std::size_t target, Opener& opener, const Link& link, UniqueFd socket,
                                   std::uint64_t bytes);
  [[nodiscard]] Failure open_ring(Slot& slot, Opener& opener, const Link& link, UniqueFd socket,
                                  std::uint64_t bytes);
  void declare(Slot& slot, const Link& link);
  void put_statistics(Slot& slot, std::uint64_t now_ns);

  const CaptureArguments& arguments_;
  Output& output_;
  sock_filter all_[1];  // for links without a filter
  Slot* slots_ = nullptr;
  std::size_t count_ = 0;
  std::uint32_t next_id_ = 0;
  std::uint64_t used_ = 0;  // bytes of all open rings
  bool left_out_ = false;   // links for which there is no room: told
  ExitCode failed_ = kDone;
};

}  // namespace podshark::agent
