// SPDX-License-Identifier: GPL-2.0-or-later
// What a capture of several machines knows of them all. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "extcap/capture/session.h"
#include "podman/annotate/codec.h"
#include "podman/model/inventory.h"

namespace podshark::extcap::remote {

/// One of all. What two of them tell about the same container (a machine under two names) counts once.
[[nodiscard]] model::Inventory merged_inventory(const std::vector<const model::Inventory*>& inventories,
                                                const std::string& host);

/// Translated connections that have not ended, for files that begin later.
class OpenTranslations {
 public:
  void take(const annotate::Event& event);
  /// Each as a record of now; of connections that were there before.
  void repeat(std::int64_t now_ns, const std::function<void(const annotate::Event&)>& record) const;

 private:
  static constexpr std::size_t kMost = 20'000;
  std::map<std::pair<std::string, std::string>, annotate::Event> open_;  // by host and id
};

/// Losses as the machines' records tell them, the newest of each.
class LossBook {
 public:
  void take(std::size_t host, const annotate::Event& event);
  void add_to(Summary& summary) const;

 private:
  std::map<std::size_t, Summary> by_host_;
};

}  // namespace podshark::extcap::remote
