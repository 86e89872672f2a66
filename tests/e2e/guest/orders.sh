# Runs /orders/1.sh, then /orders/2.sh, and so on, each when it is there. N.out has what it said, N.code how it ended.
number=1
while true; do
    until [ -e "/orders/$number.sh" ]; do sleep 0.2; done
    sh "/orders/$number.sh" >"/orders/$number.out" 2>&1 </dev/null
    echo $? >"/orders/$number.part"
    mv "/orders/$number.part" "/orders/$number.code"
    number=$((number + 1))
done
