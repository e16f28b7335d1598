-module(opsup).
-behaviour(supervisor).
-export([start_link/1, stock_sup/0, order_sup/0, init/1]).

start_link(File) -> supervisor:start_link({local, ?MODULE}, ?MODULE, {top, File}).
stock_sup() -> supervisor:start_link({local, stock_sup}, ?MODULE, stock).
order_sup() -> supervisor:start_link({local, order_sup}, ?MODULE, order).

init({top, File}) ->
    {ok, {#{strategy => rest_for_one},
          [#{id => journal, start => {journal, start_link, [File]}},
           #{id => payment, start => {payment, start_link, []}},
           #{id => stock_sup, start => {?MODULE, stock_sup, []}, type => supervisor},
           #{id => order_sup, start => {?MODULE, order_sup, []}, type => supervisor}]}};
init(stock) ->
    {ok, {#{strategy => simple_one_for_one}, [#{id => stock, start => {stock, start_link, []}}]}};
init(order) ->
    {ok, {#{strategy => simple_one_for_one},
          [#{id => order, start => {order, start_link, []}, restart => temporary}]}}.
