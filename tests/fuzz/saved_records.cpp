// SPDX-License-Identifier: GPL-2.0-or-later
// libFuzzer target: our own JSON as others hand it in: the inventory that a person gives to annotate, caches,
// records told by other processes, and those of a capture on another machine. The first byte of the input
// chooses what is done with it.
#include "podman/annotate/inventory_file.h"
#include "podman/annotate/redact.h"
#include "tests/fuzz/clean.h"

namespace {

using namespace podshark;
using namespace podshark::annotate;
using fuzz::clean;
using fuzz::one_line_of_json;
using fuzz::require;

void check(const Event& event) {
  const std::string written = encode_event(event);
  one_line_of_json(written);
  const Result<Event> again = decode_event(written);
  require(again && encode_event(*again) == written);
}

void record(std::string_view text) {
  const Result<Record> read = decode_record(text);
  require(static_cast<bool>(read) == (decode_event(text) || decode_inventory(text)));
  if (!read) return clean(read.error());
  if (const auto* event = std::get_if<Event>(&*read)) return check(*event);
  fuzz::usable(std::get<InventoryPart>(*read).inventory);
}

void moved(std::string_view text) {
  const Origin origin{"far", [](std::int64_t time) { return time / 2; }};
  const Result<MovedRecord> read = move_record(text, origin);
  if (!read) return clean(read.error());
  if (const auto* event = std::get_if<MovedEvent>(&*read)) {
    require(event->event.host == "far");
    one_line_of_json(event->json);
    const Result<Event> again = decode_event(event->json);
    require(again && again->host == "far");
    return;
  }
  for (const model::Container& c : std::get<InventoryPart>(*read).inventory.containers)
    require(c.host == "far");
}

// What is to be given to strangers can be read, and a second time nothing is left to take out.
void redacted(std::string_view text) {
  const auto shared = redact_record(text);
  if (!shared) return;
  one_line_of_json(shared->json);
  clean(shared->info);
  const auto again = redact_record(shared->json);
  require(again && again->json == shared->json);
}

void saved(std::string_view text) {
  Result<model::Inventory> inventory = whole_inventory(text, "web.podman.json");
  if (!inventory) return clean(inventory.error());
  fuzz::usable(*inventory);
  redact(*inventory);
  require(inventory->host.empty());
  for (const model::Container& c : inventory->containers) require(c.labels.empty() && c.netns_path.empty());
  fuzz::usable(*inventory);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  switch (input.byte() % 6) {
    case 0:
      record(input.rest());
      break;
    case 1:
      moved(input.rest());
      break;
    case 2:
      redacted(input.rest());
      break;
    case 3:
      saved(input.rest());
      break;
    case 4:
      (void)move_interface(input.rest(), "far", InterfaceClock{1, 2});
      break;
    default:
      record(upper_pdu_json(input.rest()));
  }
  return 0;
}
