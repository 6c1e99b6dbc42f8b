// SPDX-License-Identifier: GPL-2.0-or-later
// What of an inventory or an event may be given to strangers: docs/FORMAT.md lists it. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "podman/model/inventory.h"

namespace podshark::annotate {

/// Takes out what must not be shared: host name, labels, paths, and the texts of problems.
void redact(model::Inventory& inventory);

/// The same for one event record, with the text for the Info column. nullopt: it is not understood, and so
/// not to be shared.
struct RedactedRecord {
  std::string info;
  std::string json;
};
[[nodiscard]] std::optional<RedactedRecord> redact_record(std::string_view json);

/// Name and description of an interface of another machine ("podman@HOST:web/eth0"), without the machine.
/// nullopt: it is none.
struct RedactedInterface {
  std::string name;
  std::string description;
};
[[nodiscard]] std::optional<RedactedInterface> redact_interface(std::string_view name,
                                                                std::string_view description);

}  // namespace podshark::annotate
