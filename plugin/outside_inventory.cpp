// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/outside_inventory.h"

#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include "podman/annotate/codec.h"
#include "podman/annotate/inventory_file.h"
#include "podman/core/process.h"
#include "podman/core/text.h"

namespace podshark::plugin {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kDeadline{5};

// Wireshark tells plugins nothing of the file's name when it dissects, but it holds the file open.
Result<std::optional<model::Inventory>> beside_an_open_file() {
  std::error_code error;
  Result<std::optional<model::Inventory>> none = std::optional<model::Inventory>();
  for (const fs::directory_entry& fd : fs::directory_iterator("/proc/self/fd", error)) {
    const fs::path target = fs::read_symlink(fd.path(), error);
    if (error || !target.is_absolute()) continue;  // a pipe, a socket
    if (!fs::is_regular_file(target, error) || annotate::inventory_beside(target.string()) == target)
      continue;
    Result<std::optional<model::Inventory>> found = annotate::inventory_of(target.string());
    if (found && *found) return found;
    if (!found) none = std::move(found);
  }
  return none;
}

Result<model::Inventory> ask_podman() {
  const Result<std::string> program = podshark_program();
  if (!program) return program.error();
  const Result<Output> done = run({*program, "inventory"}, kDeadline, annotate::kMaxInventoryJson);
  if (!done) return done.wrap("ask podman for its containers");
  const std::string command = in_quotes(*program + " inventory");
  if (done->exit_code == 0) return annotate::whole_inventory(done->out, command);
  return Error{ErrorKind::internal, command + " has failed, exit code " + std::to_string(done->exit_code),
               "run it in a terminal to see why"};
}

struct Answer {
  FirstPacket file;
  std::optional<model::Inventory> inventory;  // nullopt: it failed
};
std::optional<Answer>& kept_answer() {
  static auto* const answer = new std::optional<Answer>;
  return *answer;
}

Result<std::optional<model::Inventory>> ask_once(const FirstPacket& file) {
  std::optional<Answer>& kept = kept_answer();
  if (kept && kept->file == file) return kept->inventory;
  Result<model::Inventory> found = ask_podman();
  kept = Answer{file, {}};
  if (!found) return found.error();
  kept->inventory = std::move(*found);
  return kept->inventory;
}

}  // namespace

Result<std::optional<model::Inventory>> outside_inventory(const OutsideInventory& wanted,
                                                          const FirstPacket& file) {
  if (!wanted.live) kept_answer().reset();
  if (wanted.file.empty()) {
    Result<std::optional<model::Inventory>> beside = beside_an_open_file();
    return !beside || *beside || !wanted.live ? std::move(beside) : ask_once(file);
  }
  Result<model::Inventory> found = annotate::read_inventory(wanted.file);
  if (!found) return found.error();
  return std::optional(std::move(*found));
}

}  // namespace podshark::plugin
