// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/firewall/nft_values.h"

#include "podman/core/text.h"

namespace podshark::firewall {
namespace {

std::string set_key(const std::string& family, const std::string& table, const std::string& name) {
  return family + '\n' + table + '\n' + name;
}

std::optional<std::uint32_t> family_number(const std::string& word) {
  if (word == "ipv4" || word == "ip") return 4;
  if (word == "ipv6" || word == "ip6") return 6;
  return std::nullopt;
}

// The number that a word stands for.
std::optional<std::uint32_t> word_number(const std::string& word, Field field, bool v6) {
  switch (field) {
    case Field::family:
      return family_number(word);
    case Field::protocol:
      return protocol_number(word);
    case Field::ct_state:
      return ct_state_number(word);
    case Field::icmp_type:
      return icmp_type_number(word, v6);
    case Field::icmp_code:
      return icmp_code_number(word, v6);
    case Field::saddr_type:
    case Field::daddr_type:
      return address_type_number(word);
    case Field::ct_direction:
      return word == "original" ? std::optional<std::uint32_t>(0)
                                : (word == "reply" ? std::optional<std::uint32_t>(1) : std::nullopt);
    default:
      return std::nullopt;
  }
}

std::optional<std::uint32_t> one_number(const json& j, Field field, bool v6) {
  if (field == Field::tcp_flags) return parse_tcp_flags(j);
  if (const auto n = number(j, UINT32_MAX)) return static_cast<std::uint32_t>(*n);
  const std::string word = text(j);
  if (word.empty()) return std::nullopt;
  std::uint64_t digits = 0;
  if (parse_number(word, UINT32_MAX, digits)) return static_cast<std::uint32_t>(digits);
  return word_number(word, field, v6);
}

std::optional<Value> number_value(const json& j, Field field, bool v6) {
  const json& range = member(j, "range");
  if (range.is_array() && range.size() == 2) {
    const auto first = one_number(range[0], field, v6);
    const auto last = one_number(range[1], field, v6);
    if (!first || !last || *last < *first) return std::nullopt;
    return NumberRange{*first, *last};
  }
  const auto n = one_number(j, field, v6);
  if (!n) return std::nullopt;
  return NumberRange{*n, *n};
}

std::optional<Value> address_value(const json& j) {
  std::optional<AddressRange> range;
  if (const json& prefix = member(j, "prefix"); prefix.is_object()) {
    const auto length = number(member(prefix, "len"), 128);
    if (length) range = AddressRange::parse(text(prefix, "addr") + "/" + std::to_string(*length));
  } else if (const json& ends = member(j, "range"); ends.is_array() && ends.size() == 2) {
    range = AddressRange::parse(text(ends[0]) + "-" + text(ends[1]));
  } else if (j.is_string()) {
    range = AddressRange::parse(text(j));
  }
  if (!range) return std::nullopt;
  return *range;
}

std::optional<Value> name_value(const json& j) {
  std::string name = text(j);
  if (name.empty()) return std::nullopt;
  const bool prefix = name.back() == '*';
  if (prefix) name.pop_back();
  return LinkName{std::move(name), prefix};
}

// One element: its key, and its datum when it is [key, datum].
struct Element {
  const json* key;
  const json* data;
};

Element element(const json& j) {
  const bool pair = j.is_array() && j.size() == 2;
  const json* key = pair ? &j[0] : &j;
  if (const json& inner = member(*key, "elem"); inner.is_object()) key = &member(inner, "val");
  return {key, pair ? &j[1] : nullptr};
}

bool append_row(const json& j, const Key& key, Values& out) {
  const json& parts = member(j, "concat");
  if (key.fields.size() == 1 || j == "*") {
    for (const Field field : key.fields) {
      auto value = parse_value(j, field, key.v6);
      if (!value) return false;
      out.push_back(std::move(*value));
    }
    return true;
  }
  if (!parts.is_array() || parts.size() != key.fields.size()) return false;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    auto value = parse_value(parts[i], key.fields[i], key.v6);
    if (!value) return false;
    out.push_back(std::move(*value));
  }
  return true;
}

}  // namespace

std::optional<std::uint32_t> parse_tcp_flags(const json& j) {
  if (const auto n = number(j, 0xFF)) return static_cast<std::uint32_t>(*n);
  if (j.is_string()) return tcp_flag(text(j));
  const json& list = j.is_array() ? j : member(j, "|");
  if (!list.is_array() || list.size() > 16) return std::nullopt;
  std::uint32_t bits = 0;
  for (const json& word : list) {
    if (!word.is_string()) return std::nullopt;
    const auto bit = tcp_flag(text(word));
    if (!bit) return std::nullopt;
    bits |= *bit;
  }
  return bits;
}

std::optional<Value> parse_value(const json& j, Field field, bool v6) {
  if (j == "*" && field != Field::iif && field != Field::oif) return Anything{};
  switch (field) {
    case Field::unknown:
      return std::nullopt;
    case Field::iif:
    case Field::oif:
      return name_value(j);
    case Field::saddr:
    case Field::daddr:
      return address_value(j);
    default:
      return number_value(j, field, v6);
  }
}

void NamedSets::add(const json& object) {
  elements_[set_key(text(object, "family"), text(object, "table"), text(object, "name"))] =
      &member(object, "elem");
}

std::optional<Rows> NamedSets::resolve(const json& j, const Key& key, const std::string& family,
                                       const std::string& table) {
  const json* elements = &member(j, "set");
  if (const std::string name = text(j); !name.empty()) {
    if (name[0] != '@') return std::nullopt;
    const auto found = elements_.find(set_key(family, table, name.substr(1)));
    if (found == elements_.end()) return std::nullopt;
    elements = found->second;
    auto [at, fresh] = read_.try_emplace({elements, key.fields});
    if (fresh) at->second = read(*elements, key);
    return at->second;
  }
  if (!elements->is_array()) return std::nullopt;
  return read(*elements, key);
}

bool NamedSets::spend(std::size_t count) {
  if (count > left_) {
    if (left_ > 0)
      notes_.note("sets have more elements than we read; rules that use the rest are not judged");
    left_ = 0;
    return false;
  }
  left_ -= count;
  return true;
}

std::optional<Rows> NamedSets::read(const json& elements, const Key& key) {
  Rows out;
  Values values;
  Values last;  // "*" counts only when nothing else fits
  const json* last_data = nullptr;
  for (const json& j : elements) {
    if (!spend(1)) return std::nullopt;
    const Element e = element(j);
    const bool any = *e.key == "*";
    if (!append_row(*e.key, key, any ? last : values)) return std::nullopt;
    if (any) {
      last_data = e.data;
    } else if (e.data != nullptr) {
      out.data.push_back(e.data);
    }
  }
  if (!last.empty() && last_data != nullptr) out.data.push_back(last_data);
  values.insert(values.end(), last.begin(), last.end());
  out.keys = std::make_shared<const Values>(std::move(values));
  return out;
}

}  // namespace podshark::firewall
