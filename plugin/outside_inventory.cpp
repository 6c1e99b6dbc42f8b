// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/outside_inventory.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "podman/annotate/codec.h"
#include "podman/annotate/inventory_file.h"
#include "podman/core/process.h"
#include "podman/core/text.h"

namespace podshark::plugin {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kDeadline{5};
constexpr const char* kHow = "save one with 'podshark inventory -o FILE'";

Result<std::string> read(const std::string& path) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  if (error)
    return Error{ErrorKind::not_found, "inventory " + in_quotes(path) + ": " + error.message(), kHow};
  if (size > annotate::kMaxInventoryJson)
    return Error{ErrorKind::usage, "inventory " + in_quotes(path) + " is larger than any", kHow};
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (const auto known = annotate::decode_inventory(text); !known)
    return Error{ErrorKind::usage, in_quotes(path) + ": " + known.error().what, kHow};
  return text;
}

// Wireshark tells plugins nothing of the file's name when it dissects, but it holds the file open.
std::string beside_an_open_file() {
  std::error_code error;
  for (const fs::directory_entry& fd : fs::directory_iterator("/proc/self/fd", error)) {
    const fs::path target = fs::read_symlink(fd.path(), error);
    if (error || !target.is_absolute()) continue;  // a pipe, a socket
    const std::string beside = annotate::inventory_beside(target.string());
    if (fs::is_regular_file(beside, error) && fs::is_regular_file(target, error) && beside != target)
      return beside;
  }
  return {};
}

Result<std::optional<std::string>> ask_podman() {
  const Result<std::string> program = podshark_program();
  if (!program) return program.error();
  const Result<Output> done = run({*program, "inventory"}, kDeadline, annotate::kMaxInventoryJson);
  if (!done) return done.wrap("ask podman for its containers");
  if (done->exit_code != 0 || !annotate::decode_inventory(done->out)) {
    return Error{
        ErrorKind::internal,
        in_quotes(*program + " inventory") + " has failed, exit code " + std::to_string(done->exit_code),
        "run it in a terminal to see why"};
  }
  return std::optional(done->out);
}

}  // namespace

Result<std::optional<std::string>> outside_inventory(const OutsideInventory& wanted) {
  const std::string path = wanted.file.empty() ? beside_an_open_file() : wanted.file;
  if (!path.empty()) {
    Result<std::string> text = read(path);
    if (!text) return text.error();
    return std::optional(std::move(*text));
  }
  if (wanted.live) return ask_podman();
  return std::optional<std::string>();
}

}  // namespace podshark::plugin
