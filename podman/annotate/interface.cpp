// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/annotate/codec.h"
#include "podman/annotate/json_text.h"

namespace podshark::annotate {

std::string encode_interface(const Interface& interface) {
  json j{{"podshark", kSchemaVersion}, {"kind", "interface"}};
  put(j, "container_id", interface.container_id);
  put(j, "container", interface.container);
  put(j, "pod", interface.pod);
  put(j, "link", interface.link);
  put(j, "point", interface.point);
  put(j, "mac", interface.mac);
  put_list(j, "addresses", interface.addresses);
  put_number(j, "netns", interface.netns);
  return dump(j);
}

}  // namespace podshark::annotate
