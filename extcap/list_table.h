// SPDX-License-Identifier: GPL-2.0-or-later
// The table of `podshark list`. Pure.
#pragma once

#include <sys/types.h>

#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include "podman/model/inventory.h"

namespace podshark::extcap {

/// Containers, then pods; safe for a terminal whatever names say. Infra containers appear with `all` only:
/// their addresses are shown with the pod's members. `caller` is the effective user id.
void write_table(std::ostream& out, const model::Inventory& inventory, uid_t caller, bool all);

/// "note: …" lines: problems, and what is missing from limited containers.
void write_notes(std::ostream& out, const model::Inventory& inventory);

/// Columns as wide as their widest cell; each cell becomes one clean line, "-" when it is empty.
class Table {
 public:
  explicit Table(std::vector<std::string> head) : rows_{std::move(head)} {}
  void add(std::vector<std::string> cells);
  [[nodiscard]] bool empty() const { return rows_.size() == 1; }
  void write(std::ostream& out) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};
/// At most four of them, in one cell.
[[nodiscard]] std::string joined_cell(const std::vector<std::string>& items);

/// "bridge (shop-net)", "slirp4netns of the pod", "shared with web", …
[[nodiscard]] std::string network_cell(const model::Container& container, const model::Inventory& inventory);

}  // namespace podshark::extcap
