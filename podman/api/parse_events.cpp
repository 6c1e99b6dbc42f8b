// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/api/json_model.h"
#include "podman/api/json_read.h"
#include "podman/api/parse.h"

namespace podshark::api {
Result<ContainerEvent> parse_container_event(std::string_view line) {
  const Result<json> list = parse_list(line, "podman events", kMaxInspectBytes);
  const Error nonsense{ErrorKind::no_podman, "podman events: not a container's event", {}};
  if (!list) return list.error();
  if (list->size() != 1 || text(list->front(), "Type") != "container") return nonsense;
  const json& j = list->front();
  ContainerEvent event;
  event.status = text(j, "Status");
  event.container.id = id_text(member(j, "ID"));
  event.container.name = text(j, "Name");
  event.container.image = text(j, "Image");
  if (event.container.id.empty()) return nonsense;
  read_labels(member(j, "Attributes"), event.container);
  // What podman puts among the labels.
  for (const char* own : {"containerExitCode", "image", "name", "podId"}) event.container.labels.erase(own);
  return event;
}

}  // namespace podshark::api
