// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/main_window.h"

#include <cfile.h>
#include <epan/funnel.h>
#include <epan/plugin_if.h>
#include <wsutil/report_message.h>

#include "podman/core/text.h"

namespace podshark::plugin {
namespace {

// Points into Wireshark's own; the next thing this thread does is to copy it.
struct Seen {
  const char* path = nullptr;
  std::uint32_t frame = 0;
  bool reading = false;
  bool temporary = false;
  bool changed = false;
};

void* look(capture_file* file, void* seen) noexcept {
  if (file->state == FILE_CLOSED) return nullptr;
  *static_cast<Seen*>(seen) = {file->filename, file->current_frame != nullptr ? file->current_frame->num : 0,
                               file->state == FILE_READ_IN_PROGRESS, bool(file->is_tempfile),
                               bool(file->unsaved_changes)};
  return seen;
}

void open_capture(const std::string& path) {
  const funnel_ops_t* ops = funnel_get_funnel_ops();
  if (ops == nullptr || ops->open_file == nullptr) return;
  char* error = nullptr;
  const bool opened = bool(ops->open_file(ops->ops_id, path.c_str(), "", &error));
  if (!opened && error != nullptr) tell(error);
  g_free(error);
}

}  // namespace

void tell(const char* line) {
  report_failure("Podshark: %s", line);
}

std::optional<OpenFile> open_file() {
  Seen seen;
  if (plugin_if_get_capture_file(look, &seen) == nullptr) return std::nullopt;
  return OpenFile{seen.path != nullptr ? seen.path : "", seen.frame, seen.reading, seen.temporary,
                  seen.changed};
}

void carry_out(const Action& action) {
  if (!action.filter.empty()) plugin_if_apply_filter(action.filter.c_str(), true);
  if (action.frame != 0) plugin_if_goto_frame(action.frame);
  if (!action.file.empty()) open_capture(action.file);
}

}  // namespace podshark::plugin
