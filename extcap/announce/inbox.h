// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>

#include "podman/annotate/codec.h"
#include "podman/core/fd.h"
#include "podman/core/result.h"

namespace podshark::extcap {

/// Where a running capture is told records by other podshark processes of the same user: a unix datagram
/// socket in his runtime directory (announce.h sends). Its file goes with the object.
class Inbox {
 public:
  [[nodiscard]] static Result<Inbox> open();
  ~Inbox() { remove(); }
  Inbox(Inbox&& other) noexcept = default;
  Inbox& operator=(Inbox&&) = delete;
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  /// Readable when next() has something.
  [[nodiscard]] int fd() const { return socket_.get(); }
  /// The next record; empty when there is none now. What is no record, or comes from another user, is
  /// skipped.
  [[nodiscard]] std::optional<annotate::Event> next();

 private:
  Inbox(UniqueFd directory, UniqueFd socket, std::string name)
      : directory_(std::move(directory)), socket_(std::move(socket)), name_(std::move(name)) {}
  void remove();

  UniqueFd directory_;
  UniqueFd socket_;
  std::string name_;
};

}  // namespace podshark::extcap
