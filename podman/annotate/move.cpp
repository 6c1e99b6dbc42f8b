// SPDX-License-Identifier: GPL-2.0-or-later
// Records of another machine's capture, for a file that holds those of several. What comes from there is JSON
// of a stranger: it is decoded as anything else, and members that only it knows are passed on.
#include "podman/annotate/record.h"
#include "podman/core/text.h"

namespace podshark::annotate {
namespace {

constexpr std::size_t kMostHost = 255;

void move_time(json& j, const char* key, const Origin& origin) {
  const std::int64_t time = time_from(j.value(key, std::string()));
  if (time != 0 && origin.time) j[key] = rfc3339(origin.time(time));
}

MovedEvent move_event(json j, const Origin& origin) {
  move_time(j, "time", origin);
  move_time(j, "packet", origin);
  put(j, "host", one_line(origin.host, kMostHost));
  MovedEvent out;
  out.event = event_from(j);
  out.json = dump(j);
  return out;
}

InventoryPart move_inventory(const json& j, const Origin& origin) {
  InventoryPart out = inventory_from(j);
  const std::string host = one_line(origin.host, kMostHost);
  for (model::Container& c : out.inventory.containers) c.host = host;
  for (model::Pod& p : out.inventory.pods) p.host = host;
  for (model::Network& n : out.inventory.networks) n.host = host;
  if (origin.time) out.inventory.time_ns = origin.time(out.inventory.time_ns);
  return out;
}

}  // namespace

Result<MovedRecord> move_record(std::string_view text, const Origin& origin) {
  try {
    json j = parse_record(text);
    if (is_inventory(j)) return MovedRecord(move_inventory(j, origin));
    return MovedRecord(move_event(std::move(j), origin));
  } catch (const std::exception& e) {  // nlohmann::json throws; it ends here
    return Error{ErrorKind::internal, "not a record of podshark: " + one_line(e.what(), 200), {}};
  }
}

std::string move_interface(std::string_view text, const std::string& host,
                           const std::optional<InterfaceClock>& clock) {
  try {
    json j = parse_record(text);
    put(j, "host", one_line(host, kMostHost));
    if (clock) {
      j["clock_offset_ns"] = clock->offset_ns;
      put_number(j, "clock_error_ns", clock->error_ns);
    }
    return dump(j);
  } catch (const std::exception&) {  // nlohmann::json throws; it ends here
    return std::string(text);
  }
}

}  // namespace podshark::annotate
