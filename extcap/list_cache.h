// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "podman/core/result.h"
#include "podman/model/inventory.h"

namespace podshark::extcap {

/// Wireshark asks for the interface list again and again and waits without limit. It is answered from a small
/// file in the user's runtime directory (mode 0700, never shared); when that is older than kFresh, or
/// other containers run than it says, a detached child reads podman and rewrites it.
class ListCache {
 public:
  static constexpr std::chrono::milliseconds kFresh{2000};
  static constexpr std::chrono::milliseconds kUnchecked{200};  ///< Wireshark's bursts of the same question

  /// In runtime_directory(), with its errors.
  [[nodiscard]] static Result<ListCache> open();

  struct Entry {
    model::Inventory inventory;
    std::chrono::milliseconds age;
  };
  [[nodiscard]] std::optional<Entry> read() const;
  [[nodiscard]] Status write(const model::Inventory& inventory) const;

  /// Starts a refresh that outlives this process, or joins the one under way, and waits for its end, at most
  /// `limit`. True when the cache was rewritten within it.
  [[nodiscard]] bool refresh(std::chrono::milliseconds limit) const;

 private:
  explicit ListCache(std::string directory) : directory_(std::move(directory)) {}
  std::string directory_;
};

/// What the interface list shows, within 400 ms whatever podman does: the fresh cache; else a refresh; else
/// what conmon processes show now, with details from the old cache. `stale` says that podman did not answer
/// in time.
struct ListedInventory {
  model::Inventory inventory;
  bool stale = false;
};
[[nodiscard]] ListedInventory list_quickly();

/// For a capture: stopped containers too, so that it can say so; podman gets five seconds.
[[nodiscard]] model::Inventory discover_all();

}  // namespace podshark::extcap
