// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/annotate/inventory_file.h"

#include <cstddef>

namespace podshark::annotate {

std::string inventory_beside(const std::string& capture) {
  const std::size_t slash = capture.rfind('/');
  const std::size_t begin = slash == std::string::npos ? 0 : slash + 1;
  std::string stem = capture;
  if (stem.size() > begin + 3 && stem.compare(stem.size() - 3, 3, ".gz") == 0) stem.resize(stem.size() - 3);
  const std::size_t dot = stem.rfind('.');
  if (dot != std::string::npos && dot > begin) stem.resize(dot);
  return stem + ".podman.json";
}

}  // namespace podshark::annotate
