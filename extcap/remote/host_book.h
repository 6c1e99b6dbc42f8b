// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "extcap/remote/far_host.h"
#include "podman/core/result.h"

namespace podshark::extcap::remote {

/// The file of saved hosts. A line: "[USER@]HOST[:PORT] [port=N] [key=FILE] [jump=HOSTS]", the first word as
/// parse_host() takes it; a value with blanks in double quotes; "#" begins a comment line. Edits leave all
/// other lines as they are. Pure.
class HostBook {
 public:
  static constexpr std::size_t kMaxBytes = std::size_t{1} << 20U;
  static constexpr std::size_t kMaxHosts = 1000;

  [[nodiscard]] static HostBook parse(std::string_view text);
  [[nodiscard]] std::string text() const;

  [[nodiscard]] std::vector<FarHost> hosts() const;
  /// "line 3: …" of each line that is not understood; it counts for nothing, and is kept.
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }

  /// ErrorKind::usage for what is no host, can not be written in a line, or is there already.
  [[nodiscard]] Result<FarHost> add(const HostFields& fields);
  /// By its name or destination. ErrorKind::not_found when it is not there.
  [[nodiscard]] Result<FarHost> remove(const std::string& name);

 private:
  struct Line {
    std::string text;
    std::optional<FarHost> host;
  };
  [[nodiscard]] Result<FarHost> accepted(Result<FarHost> host) const;
  std::vector<Line> lines_;
  std::vector<std::string> problems_;
};

/// A key's file as it can be saved: what is relative begins in `directory`; "~", "%d" and "${HOME}" are ssh's
/// to expand.
[[nodiscard]] std::string lasting_key(const std::string& key, const std::string& directory);

/// The same machine, login and port, however it is written: "me@a", "ssh://me@a" and "me@a:22".
[[nodiscard]] bool same_place(const FarHost& a, const FarHost& b);

}  // namespace podshark::extcap::remote
