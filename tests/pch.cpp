// Nothing but the precompiled header (pch.hpp).
