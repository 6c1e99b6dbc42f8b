// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/annotate/inventory_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <utility>

#include "podman/annotate/codec.h"
#include "podman/core/fd.h"
#include "podman/core/proc.h"
#include "podman/core/text.h"

namespace podshark::annotate {
namespace {

constexpr const char* kHow = "save one with 'podshark inventory -o FILE'";

}  // namespace

Result<model::Inventory> whole_inventory(std::string_view text, const std::string& name) {
  Result<InventoryPart> read = decode_inventory(text);
  if (!read) return Error{ErrorKind::usage, name + ": " + read.error().what, kHow};
  if (read->parts > 1) return Error{ErrorKind::usage, name + " is only a part of an inventory", kHow};
  return std::move(read->inventory);
}

Result<model::Inventory> read_inventory(const std::string& path) {
  const Result<std::string> text = read_file(path, kMaxInventoryJson);
  if (text) return whole_inventory(*text, "'" + one_line(path, 200) + "'");
  const bool refused = text.error().kind == ErrorKind::permission;
  return Error{refused ? ErrorKind::permission : ErrorKind::usage, one_line(text.error().what, 400), kHow};
}

Result<std::optional<model::Inventory>> inventory_of(const std::string& capture) {
  const std::string path = inventory_beside(capture);
  const std::string name = in_quotes(one_line(path, 200));
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file && errno == ENOENT) return std::optional<model::Inventory>();
  if (!file && errno != ELOOP) return os_error(errno, "open " + name);
  struct stat st {};
  struct stat of {};
  if (!file || ::fstat(file.get(), &st) != 0 || !S_ISREG(st.st_mode))
    return Error{ErrorKind::permission, name + " is no file and is not read", kHow};
  if (st.st_uid != 0 && st.st_uid != ::geteuid() &&
      (::stat(capture.c_str(), &of) != 0 || of.st_uid != st.st_uid))
    return Error{ErrorKind::permission, name + " is another user's than the capture, and is not read", kHow};
  const Result<std::string> text =
      read_file("/proc/self/fd/" + std::to_string(file.get()), kMaxInventoryJson);
  if (!text) return text.wrap(name);
  Result<model::Inventory> inventory = whole_inventory(*text, name);
  if (!inventory) return inventory.error();
  return std::optional(std::move(*inventory));
}

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
