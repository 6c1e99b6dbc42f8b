// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include "extcap/worker_client.h"
#include "podman/core/fd.h"
#include "podman/core/result.h"

namespace podshark::extcap::check {

/// The kernel's word that nftables rules of one namespace have changed (NFNLGRP_NFTABLES; rules of
/// iptables-nft included, legacy ones not). A child in the namespace listens, because the right to is that of
/// CAP_NET_ADMIN there; it parses nothing and ends with this object or this process.
class RuleNotice {
 public:
  RuleNotice() = default;
  RuleNotice(RuleNotice&& other) noexcept = default;
  RuleNotice& operator=(RuleNotice&& other) noexcept;
  RuleNotice(const RuleNotice&) = delete;
  RuleNotice& operator=(const RuleNotice&) = delete;
  ~RuleNotice() { end(); }

  /// Waits until the child listens. ErrorKind::permission where it may not.
  [[nodiscard]] static Result<RuleNotice> start(const NetnsPlace& place);

  /// Readable when rules have changed, or when it has ended; -1 when none was started.
  [[nodiscard]] int fd() const { return from_.get(); }
  /// Reads all notices away. False when the child has ended.
  [[nodiscard]] bool acknowledge();

 private:
  RuleNotice(pid_t pid, UniqueFd from) : pid_(pid), from_(std::move(from)) {}
  void end();
  pid_t pid_ = 0;
  UniqueFd from_;
};

}  // namespace podshark::extcap::check
