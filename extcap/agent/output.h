// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>

#include "podman/wire/pcapng.h"

namespace podshark::agent {

/// Whole blocks on their way to stdout, which is never waited for: what its reader does not take yet stays in
/// `bytes`.
class Output {
 public:
  Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() { wire::free_bytes(&bytes_); }

  /// To append blocks to.
  [[nodiscard]] wire::Bytes* bytes() { return &bytes_; }
  [[nodiscard]] std::size_t backlog() const { return bytes_.size - begin_; }
  /// Writes what goes. False: nobody reads it any more, or it can not be written.
  [[nodiscard]] bool flush();

 private:
  bool socket_ = false;
  wire::Bytes bytes_;
  std::size_t begin_ = 0;  // what is before it is written
};

}  // namespace podshark::agent
