// Asio and Beast themselves, compiled once and here: everything else sees their declarations.
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
