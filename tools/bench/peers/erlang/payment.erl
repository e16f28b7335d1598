%% A simulated provider that always approves.
-module(payment).
-behaviour(gen_server).
-export([start_link/0, init/1, handle_call/3, handle_cast/2]).

start_link() -> gen_server:start_link({local, ?MODULE}, ?MODULE, [], []).
init([]) -> {ok, 0}.
handle_call({authorize, _Oid, _Amount}, _, N) -> {reply, approved, N + 1};
handle_call({capture, _Oid, _Amount}, _, N) -> {reply, captured, N}.
handle_cast(_, S) -> {noreply, S}.
