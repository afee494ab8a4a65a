// What GCC before 14 gets wrong in a co_await expression, as compile-time questions.
//
// It destroys twice an aggregate prvalue with a non-trivial member, and a lambda prvalue that
// captures one by value (tests/toolchain/ has a probe for each). An awaitable that takes an object
// cannot see where the object comes from, only its type; so it asks these and refuses what may be
// one, with the remedy in the text of its static_assert.
#pragma once

#include <type_traits>

namespace ringlet {

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 14
inline constexpr bool gcc_destroys_twice = true;
#else
inline constexpr bool gcc_destroys_twice = false;
#endif

// May a T stand as a temporary in a co_await expression? T may be deduced from a parameter `T&&`,
// or be that `T&&`: what is named (an lvalue reference) is always safe.
template <class T>
inline constexpr bool safe_in_co_await =
    !gcc_destroys_twice || std::is_lvalue_reference_v<T> ||
    !std::is_aggregate_v<std::remove_reference_t<T>> ||
    std::is_trivially_destructible_v<std::remove_reference_t<T>>;

// The same for a callable. A lambda cannot be told from a class that has constructors, so every
// unnamed callable that is not trivially destructible is refused.
template <class F>
inline constexpr bool safe_callable_in_co_await =
    !gcc_destroys_twice || std::is_lvalue_reference_v<F> ||
    std::is_trivially_destructible_v<std::remove_reference_t<F>>;

}  // namespace ringlet

// What the refusals say. Macros, since a static_assert of C++23 wants a literal.
#define RINGLET_GIVE_IT_A_CONSTRUCTOR                                                       \
    "GCC before 14 destroys an aggregate twice that is a temporary in a co_await: give it " \
    "a constructor"
#define RINGLET_NAME_THE_CALLABLE                                                           \
    "GCC before 14 destroys a lambda twice that is a temporary in a co_await and captures " \
    "by value what has a destructor: name it first, or capture by reference"
