// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "extcap/manual/table.h"

namespace podshark::extcap::manual {

/// podshark-COMMAND(1). `text` is roff: the description, then sections of their own (.SH), which come after
/// the options.
[[nodiscard]] std::string man_page(const Table& table, const std::string& text);

/// podshark(1), which lists the commands. `text` as above.
[[nodiscard]] std::string main_page(const std::vector<Table>& tables, const std::string& text);

}  // namespace podshark::extcap::manual
