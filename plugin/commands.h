// SPDX-License-Identifier: GPL-2.0-or-later
// What the menu filters on, starts and says: display filters, command lines, file names, and where the
// program is. Pure, but for looking which files exist. Names come from captures and are hostile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "podman/core/result.h"

namespace podshark::plugin {

/// One end of a packet, nullptr where unknown; valid until the file is closed.
struct EndNames {
  const char* name = nullptr;
  const char* pod = nullptr;
};

/// What a window offers below its text, as a button: a display filter to apply, a frame to go to, or a file
/// to open.
struct Action {
  std::string label;
  std::string filter;
  std::uint32_t frame = 0;
  std::string file;
};

/// `field == "text"` in the language of display filters.
[[nodiscard]] std::string equals(std::string_view field, std::string_view text);

/// All packets of the container that sent the packet; of the one that gets it when the sender is none.
[[nodiscard]] std::optional<Action> container_action(const EndNames& src, const EndNames& dst);
/// The same for pods: of the first end that is in one.
[[nodiscard]] std::optional<Action> pod_action(const EndNames& src, const EndNames& dst);

/// Where podshark may be, in the order of trying.
struct Places {
  std::string preference;  ///< podman.program; when set, nothing else counts
  std::string installed;   ///< where this build's installation puts it
  std::string path;        ///< $PATH
  std::string extcap;      ///< Wireshark's personal extcap directory
};
[[nodiscard]] Result<std::string> find_podshark(const Places& places);

using Argv = std::vector<std::string>;
[[nodiscard]] Argv list_command(const std::string& program);
[[nodiscard]] Argv doctor_command(const std::string& program);
[[nodiscard]] Argv annotate_command(const std::string& program, const std::string& in,
                                    const std::string& out);

/// The command as a line to read, quoted for sh(1); what no line can show is replaced.
[[nodiscard]] std::string shown(const Argv& argv);

/// How it ended, as the window's last line; `status` as waitpid() gives it.
[[nodiscard]] std::string ending(int status, bool stopped);

/// web.pcapng → web-podman.pcapng, in `folder` or, when that is empty, beside the original.
[[nodiscard]] std::string suggested_copy(const std::string& original, const std::string& folder);
/// What somebody typed as the copy's name, as a path: `~/` is the home, a relative one is beside the
/// original. An error when it would overwrite anything.
[[nodiscard]] Result<std::string> copy_path(std::string_view typed, const std::string& original,
                                            const std::string& home);

/// Cuts a program's output into lines fit for a window.
class CleanLines {
 public:
  /// The lines that are complete now, cleaned (one_line), each with its newline.
  [[nodiscard]] std::string add(std::string_view bytes);
  /// What is left at the end.
  [[nodiscard]] std::string rest();

 private:
  std::string pending_;
};

}  // namespace podshark::plugin
