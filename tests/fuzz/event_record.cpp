// SPDX-License-Identifier: GPL-2.0-or-later
// libFuzzer target: what a capture file can hand to the plugin. The first byte of the input chooses the way
// in; the rest is the record, the option or the DNS answer.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/event_items.h"
#include "plugin/event_payload.h"
#include "plugin/explain.h"
#include "plugin/index.h"

namespace {

using namespace podshark::plugin;

using Scope = std::vector<std::unique_ptr<char[]>>;

void* allocate(void* scope, std::size_t size) {
  return static_cast<Scope*>(scope)->emplace_back(new char[size]).get();
}

// The flows of the seeds, so that look-ups find something.
Flow flow(bool reversed) {
  Flow f;
  f.src = parse_ip("198.51.100.7");
  f.dst = parse_ip("10.89.0.2");
  f.src_port = 40000;
  f.dst_port = 80;
  f.protocol = 6;
  return reversed ? f.reversed() : f;
}

// What the menu shows of a packet, and the words it gives to podshark.
void explain_it(Index& index, std::uint32_t frame, const Flow& flow, const Ends& ends) {
  SelectedPacket packet;
  packet.frame = frame;
  packet.flow = flow;
  packet.facts.ends = ends;
  packet.signs.serving = index.serving(frame, interface_key(0, 1), flow);
  packet.signs.heading = index.heading(frame, interface_key(0, 1), flow);
  packet.src_sole = index.sole(frame, ends.src.name);
  packet.dst_sole = index.sole(frame, ends.dst.name);
  const auto asked = question(packet);
  if (asked && (asked->from.starts_with('-') || asked->target.starts_with('-'))) std::abort();
  const std::string text = explain(packet, index.events().about(sought(packet))).text;
  if (text.find_first_of("\r\x1b") != std::string::npos) std::abort();
}

void ask(Index& index) {
  for (const std::uint32_t frame : {1U, 5U, 9U}) {
    for (const bool reversed : {false, true}) {
      const Ends ends = index.ends(frame, interface_key(0, 1), flow(reversed));
      if (ends.src.name != nullptr && std::string_view(ends.src.name).size() > NamePool::kMaxName)
        std::abort();
      explain_it(index, frame, flow(reversed), ends);
    }
  }
  for (const ResolvedName& r : index.resolved()) {
    if (r.name.size() > 63) std::abort();
  }
}

void show(std::string_view json) {
  Scope scope;
  const EventItems items = event_items(json, allocate, &scope);
  for (std::size_t i = 0; i < items.count; ++i) {
    const char* text = items.items[i].text;
    if (text != nullptr && std::string_view(text).find_first_of("\n\r\x1b") != std::string_view::npos)
      std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::uint8_t way = *data++;
  --size;
  Index index;
  index.set_interface(interface_key(0, 1), "podman:web/eth0", "container=web id=776562776562 point=inside");
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  switch (way % 4) {
    case 0:
      index.learn(5, 0, text);
      show(text);
      break;
    case 1: {
      const std::string_view json = event_json(data, size);
      index.learn(5, 0, json);
      show(json);
      break;
    }
    case 2:
      index.learn_dns(5, data, size);
      break;
    default:
      (void)index.drop_words(text);
  }
  ask(index);
  return 0;
}
