// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/annotate/codec.h"
#include "podman/annotate/record.h"

namespace podshark::annotate {

std::string encode_event(const Event& event) {
  json j = record(event.kind.c_str(), event.time_ns);
  put(j, "what", event.what);
  put(j, "container_id", event.container_id);
  put(j, "container", event.container);
  put(j, "link", event.link);
  put(j, "detail", event.detail);
  for (const Event::LinkStats& l : event.links) {
    j["links"].push_back(
        json{{"container", l.container}, {"link", l.link}, {"received", l.received}, {"dropped", l.dropped}});
    if (l.queue_dropped != 0) j["links"].back()["queue_dropped"] = l.queue_dropped;
    if (l.errors != 0) j["links"].back()["errors"] = l.errors;
  }
  return dump(j);
}

}  // namespace podshark::annotate
