// Recorded output of nettop on a Mac.

/** `nettop -L 1 -x -n`: time and all columns. */
export const NETTOP = `time,,interface,state,bytes_in,bytes_out,rx_dupe,rx_ooo,re-tx,rtt_avg,rcvsize,tx_win,tc_class,tc_mgt,cc_algo,P,C,R,W,arch,
18:18:38.329546,mDNSResponder.272,,,67044191,20822887,0,0,0,,,,,,,,,,,,
18:18:38.329217,udp6 *.5353<->*.*,en0,,14431855,8190886,,,,,786896,,CTL,,,,,,,so,
18:18:38.329198,udp4 *:5353<->*:*,en0,,70116364,13929787,,,,,786896,,CTL,,,,,,,so,
18:18:38.329594,Microsoft Edge .772,,,13530917,11022,0,0,0,,,,,,,,,,,,
18:18:38.329510,udp6 *.5353<->*.*,utun5,,974982,1002,,,,,786896,,BE,,,,,,,so,
18:18:38.329500,tcp4 192.168.3.37:56241<->17.57.145.55:5223,en0,Established,27201,31090,0,3590,0,108.53 ms,131072,31872,RD,-,cubic,-,-,-,-,ch,
18:21:35.556852,kernel_task.0,,,322736,229260,0,0,0,,,,,,,,,,,,
18:21:35.556534,tcp4 127.0.0.1:57970<->127.0.0.1:57969,lo0,Established,322736,229260,0,0,0,1.22 ms,6291456,440320,BE,-,cubic,-,-,-,-,so,
`;

/** `nettop -L 1 -x -n -J interface,state,bytes_in,bytes_out`: the name comes first. */
export const NETTOP_CHOSEN = `,interface,state,bytes_in,bytes_out,
node.99998,,,500,600,
tcp6 fd9c:4d71:ddf0::2.61604<->fd9c:4d71:ddf0::1.57726,utun4,Established,100,200,
tcp6 fe80::1%en0.61605<->fe80:4::aede:48ff:fe00:1122.443,en0,Established,400,400,
com.apple.WebKi.100321,,,7,8,
quic 192.168.3.37:50123<->17.57.145.55:443,en0,,7,8,
`;
