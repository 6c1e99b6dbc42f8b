// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <map>
#include <string>

#include "podman/model/inventory.h"
#include "podman/wire/pcapng.h"

namespace podshark::extcap {

/// Name resolution blocks: containers' names for their addresses, each written once per file.
class NameBlocks {
 public:
  /// Appends blocks for addresses that have not been named so yet.
  void put(const model::Inventory& inventory, wire::Bytes* out);
  /// Another file follows.
  void clear() { named_.clear(); }

 private:
  std::map<std::string, std::string> named_;  // packed address → names already written
};

}  // namespace podshark::extcap
